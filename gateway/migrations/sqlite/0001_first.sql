-- Identifiers are 16 random bytes, times are milliseconds since 1970 (UTC), words are those of the code.
-- "sealed" means: encrypted with a key that is not in this file.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    name         TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An erased account leaves its row, without anything personal, so that sessions and journal lines
-- keep a meaning.
CREATE TABLE account (
    id                BLOB PRIMARY KEY CHECK (length(id) = 16),
    tenant            BLOB NOT NULL REFERENCES tenant (id),
    login_index       BLOB UNIQUE CHECK (length(login_index) = 32),
    login             BLOB, -- sealed with the account's key
    profile           BLOB, -- sealed with the account's key
    roles             TEXT NOT NULL, -- JSON array
    locked_at         INTEGER,
    password_hash     TEXT,
    password_set_at   INTEGER,
    provisional_until INTEGER,
    provisional_spent INTEGER NOT NULL DEFAULT 0,
    epoch             INTEGER NOT NULL CHECK (epoch > 0),
    created_at        INTEGER NOT NULL,
    erased_at         INTEGER,
    CHECK ((login_index IS NULL) = (erased_at IS NOT NULL)),
    CHECK ((password_hash IS NULL) = (password_set_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX account_of_tenant ON account (tenant, id);

CREATE TABLE tenant_grant (
    account BLOB NOT NULL REFERENCES account (id),
    tenant  BLOB NOT NULL REFERENCES tenant (id),
    roles   TEXT NOT NULL, -- JSON array
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (account, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    account    BLOB NOT NULL UNIQUE REFERENCES account (id),
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tenant, roles and grants of a session are those of its account: a change of them raises the
-- account's epoch, and a session of another epoch is dead.
CREATE TABLE session (
    id               BLOB PRIMARY KEY CHECK (length(id) = 16),
    account          BLOB NOT NULL REFERENCES account (id),
    epoch            INTEGER NOT NULL,
    stage            TEXT NOT NULL,
    computer         TEXT NOT NULL,
    started_at       INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    ends_at          INTEGER NOT NULL,
    idle_limit_ms    INTEGER NOT NULL,
    last_used_at     INTEGER NOT NULL,
    origin           BLOB, -- sealed with the account's key
    ended_at         INTEGER,
    end_cause        TEXT,
    CHECK ((ended_at IS NULL) = (end_cause IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX session_living ON session (account) WHERE ended_at IS NULL;
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at IS NOT NULL;

-- One token a host. The row outlives the token, to tell on which hosts a session was used.
CREATE TABLE session_host (
    session    BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    host       TEXT NOT NULL,
    token_hash BLOB UNIQUE CHECK (length(token_hash) = 32),
    assurance  TEXT NOT NULL,
    issued_at  INTEGER NOT NULL,
    PRIMARY KEY (session, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket (
    hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
    session    BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    host       TEXT NOT NULL,
    nonce_hash BLOB NOT NULL CHECK (length(nonce_hash) = 32),
    assurance  TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_of_session ON ticket (session);
CREATE INDEX ticket_expiry ON ticket (expires_at);

CREATE TABLE throttle (
    key             BLOB PRIMARY KEY CHECK (length(key) = 16),
    failures        INTEGER NOT NULL,
    first_failed_at INTEGER NOT NULL,
    last_failed_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX throttle_age ON throttle (last_failed_at);

CREATE TABLE signing_key (
    key_id     TEXT PRIMARY KEY,
    pkcs8      BLOB NOT NULL, -- sealed with the keyring
    created_at INTEGER NOT NULL,
    signs_from INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    sequence        INTEGER PRIMARY KEY,
    at              INTEGER NOT NULL,
    actor           TEXT NOT NULL,
    kind            TEXT NOT NULL,
    fields          TEXT NOT NULL,
    tenant          BLOB,
    account         BLOB,
    session         BLOB,
    request         BLOB,
    identifier_hash BLOB,
    key_name        BLOB,
    sealed          BLOB,
    code            BLOB NOT NULL CHECK (length(code) = 32),
    CHECK ((key_name IS NULL) = (sealed IS NULL))
) STRICT;
CREATE INDEX journal_of_account ON journal (account, sequence) WHERE account IS NOT NULL;
CREATE INDEX journal_of_session ON journal (session, sequence) WHERE session IS NOT NULL;
CREATE INDEX journal_of_request ON journal (request) WHERE request IS NOT NULL;
CREATE INDEX journal_by_time ON journal (at);

-- Where the chain ends, and up to where it was purged; each vouched for by the keyring.
CREATE TABLE journal_head (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    sequence INTEGER NOT NULL,
    code     BLOB NOT NULL CHECK (length(code) = 32),
    seal     BLOB NOT NULL
) STRICT;
CREATE TABLE journal_checkpoint (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    sequence INTEGER NOT NULL,
    code     BLOB NOT NULL CHECK (length(code) = 32),
    seal     BLOB NOT NULL
) STRICT;

CREATE TRIGGER journal_is_never_edited BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER journal_is_purged_behind_the_checkpoint_alone BEFORE DELETE ON journal
WHEN old.sequence > (SELECT sequence FROM journal_checkpoint)
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
