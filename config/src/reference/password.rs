//! The keys of password rules: the base, and what a role or a tenant asks on top of it.

use super::{Key, Kind, Later, Section, integer};

pub(crate) const PASSWORD: Section = Section {
    name: "password",
    within: None,
    repeated: false,
    doc: "What a password must be, for everybody. Without this section it is the preset `shipped`, which meets CNIL \
          2022-100 (case 2), ANSSI-PG-078, NIST SP 800-63B-4 and OWASP ASVS 5.0. Common passwords and the current one \
          are refused whatever stands here. The strictest of base, roles and tenant counts for each rule.",
    keys: &[
        Key::new(
            "preset",
            Kind::Text,
            "\"shipped\", \"second-factor\", \"cnil-case-1\" or \"cnil-case-2\"",
            "The rules to begin from; what stands beside it takes the place of the preset's figure.",
        )
        .or("shipped"),
        LENGTH_MIN,
        LENGTH_MAX,
        CLASSES_MIN,
        CLASSES_UNLESS_LENGTH,
        LOWER_MIN,
        UPPER_MIN,
        DIGITS_MIN,
        SIGNS_MIN,
        COUNTS_UNLESS_LENGTH,
        DISTINCT_MIN,
        REPEAT_MAX,
        SEQUENCE_MAX,
        ENTROPY_BITS_MIN,
        GUESSES_LOG10_MIN,
        OWN_DATA,
        YEARS,
        CHANGES_MIN,
        Key::new(
            "role",
            Kind::Table,
            "a table for each role",
            "What is asked of whoever has the role.",
        ),
        Key::new(
            "tenant",
            Kind::Table,
            "a table for each tenant",
            "What is asked of whoever is of the tenant.",
        ),
    ],
    later: LATER,
};

pub(crate) const ROLE: Section = layer(
    "role",
    "What is asked of whoever has a role, on top of `[password]`: one table a role, such as `[password.role.it]`. It \
     only ever tightens.",
);

pub(crate) const TENANT: Section = layer(
    "tenant",
    "What is asked of whoever is of a tenant, on top of `[password]`: one table a tenant, such as \
     `[password.tenant.acme]`. It only ever tightens.",
);

const fn layer(name: &'static str, doc: &'static str) -> Section {
    Section {
        name,
        within: Some("password"),
        repeated: false,
        doc,
        keys: &[
            LENGTH_MIN,
            LENGTH_MAX,
            CLASSES_MIN,
            CLASSES_UNLESS_LENGTH,
            LOWER_MIN,
            UPPER_MIN,
            DIGITS_MIN,
            SIGNS_MIN,
            COUNTS_UNLESS_LENGTH,
            DISTINCT_MIN,
            REPEAT_MAX,
            SEQUENCE_MAX,
            ENTROPY_BITS_MIN,
            GUESSES_LOG10_MIN,
            OWN_DATA,
            YEARS,
            CHANGES_MIN,
        ],
        later: LATER,
    }
}

const LENGTH_MIN: Key = Key::new(
    "length_min",
    integer(8, 64),
    "a number from 8 to 64",
    "The least characters, counted as people count them. NIST asks for 15 where the password is the only factor.",
);
const LENGTH_MAX: Key = Key::new(
    "length_max",
    integer(64, 256),
    "a number from 64 to 256",
    "The most characters. Nothing is ever cut off.",
);
const CLASSES_MIN: Key = Key::new(
    "classes_min",
    integer(2, 4),
    "a number from 2 to 4",
    "Of how many kinds characters must be: small letters, capitals, digits, others. NIST and ASVS are against it.",
);
const CLASSES_UNLESS_LENGTH: Key = Key::new(
    "classes_unless_length",
    integer(8, 256),
    "a number from 8 to 256",
    "From this length on a password satisfies whatever its kinds: a passphrase.",
);
const LOWER_MIN: Key = Key::new(
    "lower_min",
    integer(1, 16),
    "a number from 1 to 16",
    "So many small letters. NIST and ASVS are against it.",
);
const UPPER_MIN: Key = Key::new(
    "upper_min",
    integer(1, 16),
    "a number from 1 to 16",
    "So many capitals. The same.",
);
const DIGITS_MIN: Key = Key::new(
    "digits_min",
    integer(1, 16),
    "a number from 1 to 16",
    "So many digits. The same.",
);
const SIGNS_MIN: Key = Key::new(
    "signs_min",
    integer(1, 16),
    "a number from 1 to 16",
    "So many others: signs, spaces, emoji. The same.",
);
const COUNTS_UNLESS_LENGTH: Key = Key::new(
    "counts_unless_length",
    integer(8, 256),
    "a number from 8 to 256",
    "From this length on a password satisfies whatever it holds of each kind.",
);
const DISTINCT_MIN: Key = Key::new(
    "distinct_min",
    integer(2, 16),
    "a number from 2 to 16",
    "So many different characters; a capital is its small letter.",
);
const REPEAT_MAX: Key = Key::new(
    "repeat_max",
    integer(1, 16),
    "a number from 1 to 16",
    "The same character so often in a row at most.",
);
const SEQUENCE_MAX: Key = Key::new(
    "sequence_max",
    integer(2, 16),
    "a number from 2 to 16",
    "So many characters in a row at most along the alphabet, the digits or a row of an AZERTY, QWERTZ or QWERTY keyboard.",
);
const ENTROPY_BITS_MIN: Key = Key::new(
    "entropy_bits_min",
    integer(0, 128),
    "a number from 0 to 128",
    "Formal entropy as the CNIL counts it: length times log2 of the alphabet used. 0 for none.",
);
const GUESSES_LOG10_MIN: Key = Key::new(
    "guesses_log10_min",
    integer(0, 20),
    "a number from 0 to 20",
    "How many guesses it takes whoever knows words, names, dates and keyboards of both languages: 10 for ten thousand \
     million. 0 for any.",
);
const OWN_DATA: Key = Key::new(
    "own_data",
    Kind::Boolean,
    "true or false",
    "Whether the login, name, address, organisation, the hosts and the product's name are refused.",
);
const YEARS: Key = Key::new(
    "years",
    Kind::Boolean,
    "true or false",
    "Whether this year's number, the last one's and the next one's are refused too.",
);
const CHANGES_MIN: Key = Key::new(
    "changes_min",
    integer(2, 16),
    "a number from 2 to 16",
    "How many characters have to differ from the password that is replaced.",
);

const LATER: &[Later] = &[
    Later {
        name: "list",
        remedy: "leave it out; a list of your own comes with a later version",
    },
    Later {
        name: "breached",
        remedy: "leave it out; collections of breached passwords come with a later version",
    },
    Later {
        name: "history",
        remedy: "leave it out; the current password is refused as it is",
    },
    Later {
        name: "age_max",
        remedy: "leave it out; passwords are changed when there is a reason",
    },
    Later {
        name: "age_min",
        remedy: "leave it out; a password may be changed at any time",
    },
    Later {
        name: "expires",
        remedy: "leave it out; passwords are changed when there is a reason",
    },
];
