-- Pages and sweeps read what they show, and not all sessions that are kept.

-- All that live, latest first.
CREATE INDEX session_by_start ON session (started_at, id) WHERE ended_at IS NULL;
-- Those whose time is over.
CREATE INDEX session_due ON session (ends_at) WHERE ended_at IS NULL;
-- What one account's sessions were, last ended first.
CREATE INDEX session_past ON session (account, ended_at, id) WHERE ended_at IS NOT NULL;
