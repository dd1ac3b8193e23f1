-- How forecasts came out, each once.

CREATE TABLE forecast_scores (
  fingerprint TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  rule TEXT NOT NULL,
  scored_at INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  PRIMARY KEY (fingerprint, claimed_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX forecast_scores_by_time
  ON forecast_scores (scored_at, rule, outcome);
