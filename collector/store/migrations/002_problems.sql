-- Problems: incidents of many endpoints that have one cause.

CREATE TABLE problems (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket INTEGER UNIQUE REFERENCES tickets (id),
  closed_at INTEGER,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX problems_open ON problems (id) WHERE closed_at IS NULL;

CREATE TABLE problem_members (
  problem INTEGER NOT NULL REFERENCES problems (id),
  incident INTEGER NOT NULL REFERENCES incidents (id),
  PRIMARY KEY (problem, incident)
) STRICT, WITHOUT ROWID;
CREATE INDEX problem_members_by_incident ON problem_members (incident);

-- The ticket of the problem that an incident's ticket belongs to.
ALTER TABLE tickets ADD COLUMN problem INTEGER;
CREATE INDEX tickets_by_problem ON tickets (problem, id)
  WHERE problem IS NOT NULL;
