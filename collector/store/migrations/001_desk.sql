-- The desk, first edition. Meaning of tables: docs/formats/desk_database.md.
-- Times are Unix microseconds, UTC. `body` is the row's own protobuf message;
-- columns beside it are what is searched or must be unique.

CREATE TABLE incidents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  endpoint_id TEXT NOT NULL,
  closed_at INTEGER,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX incidents_open ON incidents (id) WHERE closed_at IS NULL;

-- Exactly one ticket an incident.
CREATE TABLE tickets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  incident INTEGER UNIQUE REFERENCES incidents (id),
  endpoint_id TEXT NOT NULL,
  assignee TEXT NOT NULL,
  state INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX tickets_by_state ON tickets (state, id);
CREATE INDEX tickets_by_endpoint ON tickets (endpoint_id, id);
CREATE INDEX tickets_by_assignee ON tickets (assignee, id);

CREATE TABLE ticket_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket INTEGER NOT NULL REFERENCES tickets (id),
  time INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX ticket_events_by_ticket ON ticket_events (ticket, id);

-- A replayed symptom meets its own row; at most one of a fingerprint stands.
CREATE TABLE symptoms (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  cleared_at INTEGER,
  endpoint_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  weighs INTEGER NOT NULL,
  incident INTEGER REFERENCES incidents (id),
  body BLOB NOT NULL,
  UNIQUE (fingerprint, opened_at)
) STRICT;
CREATE UNIQUE INDEX symptoms_standing ON symptoms (fingerprint)
  WHERE cleared_at IS NULL;
CREATE INDEX symptoms_by_incident
  ON symptoms (incident, fingerprint, opened_at);
CREATE INDEX symptoms_by_time ON symptoms (opened_at);
CREATE INDEX symptoms_by_endpoint ON symptoms (endpoint_id, opened_at);

-- A fingerprint is in one open incident or open ticket only.
CREATE TABLE held_fingerprints (
  fingerprint TEXT PRIMARY KEY,
  incident INTEGER NOT NULL REFERENCES incidents (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_fingerprints_by_incident ON held_fingerprints (incident);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket INTEGER NOT NULL REFERENCES tickets (id),
  channel TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  event TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  done_at INTEGER,
  given_up INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  UNIQUE (channel, idempotency_key)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (ticket, channel, id)
  WHERE done_at IS NULL;
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX outbox_by_ticket ON outbox (ticket, id);

CREATE TABLE endpoints (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  secret_hash TEXT NOT NULL UNIQUE,
  tags BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  verb TEXT NOT NULL,
  object TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_object ON audit (object, id);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit rows do not change'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit rows do not go'); END;
