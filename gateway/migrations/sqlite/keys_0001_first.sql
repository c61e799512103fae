-- Keys of persons and of months, each sealed with the keyring. In a file of their own, so that a
-- backup of the data never brings back a key that was destroyed.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE personal_key (
    name   BLOB PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
