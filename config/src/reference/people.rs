//! The keys of sign-in, storage and pages.

use super::{DAY, HOUR, Key, Kind, Later, MINUTE, Section, integer, seconds};

pub(crate) const TENANTS: Section = Section {
    name: "tenants",
    within: None,
    repeated: false,
    doc: "Which organisation a login belongs to that is typed without one. `tenant/login` works everywhere.",
    keys: &[
        Key::new(
            "default",
            Kind::Text,
            "the name of a tenant, such as \"acme\"",
            "The tenant of a bare login.",
        )
        .or("main"),
        Key::new(
            "by_host",
            Kind::Table,
            "a table such as { \"paie.example.com\" = \"acme\" }",
            "Another one on the way to these hosts. Tenants are never searched in turn.",
        ),
    ],
    later: &[],
};

pub(crate) const SESSIONS: Section = Section {
    name: "sessions",
    within: None,
    repeated: false,
    doc: "How long people stay signed in.",
    keys: &[
        Key::new(
            "absolute",
            seconds(5 * MINUTE, DAY),
            "a duration from \"5m\" to \"24h\"",
            "From sign-in to the end, whatever happens.",
        )
        .or("24h"),
        Key::new(
            "idle_private",
            seconds(MINUTE, DAY),
            "a duration from \"1m\" to \"24h\", at most `absolute`",
            "Without use, on a person's own computer.",
        )
        .or("8h"),
        Key::new(
            "idle_public",
            seconds(MINUTE, HOUR),
            "a duration from \"1m\" to \"1h\", at most `idle_private`",
            "Without use, on a shared computer.",
        )
        .or("15m"),
        Key::new(
            "cookie",
            Kind::Text,
            "\"browser\" or \"session\"",
            "How long a private computer keeps the cookie: until the `browser` is closed, or until the `session` ends. A shared computer never keeps it longer than the browser is open.",
        )
        .or("browser"),
    ],
    later: &[],
};

pub(crate) const HASHING: Section = Section {
    name: "hashing",
    within: None,
    repeated: false,
    doc: "What one guess of a password costs (Argon2id, RFC 9106). Hashes made with less are renewed at the next sign-in.",
    keys: &[
        Key::new(
            "memory_kib",
            integer(19_456, 1_048_576),
            "a number of KiB from 19456 to 1048576",
            "Memory of one hash. The floor is OWASP's.",
        )
        .or("19456")
        .at_restart(),
        Key::new(
            "passes",
            integer(2, 16),
            "a number from 2 to 16",
            "Passes over it.",
        )
        .or("2")
        .at_restart(),
        Key::new(
            "threads",
            integer(1, 64),
            "a number of threads from 1 to 64",
            "Hashes computed at once, each in memory of its own.",
        )
        .or("2")
        .at_restart(),
        Key::new(
            "queue",
            integer(1, 10_000),
            "a number from 1 to 10000",
            "Sign-ins that may wait; beyond, the answer is 503 with `Retry-After`. One address (IPv6: one /64) holds at most 4 of these places, and one /48 of IPv6 at most a quarter of them; what more it sends waits for its own.",
        )
        .or("64")
        .at_restart(),
    ],
    later: &[],
};

/// What stands in for limits by account.
const BY_ACCOUNT: &str = "leave it out; failures at one account wait by built-in figures";

pub(crate) const LIMITS: Section = Section {
    name: "limits",
    within: None,
    repeated: false,
    doc: "How often one address is answered while nobody is signed in there (429 with `Retry-After` beyond).",
    keys: &[
        Key::new(
            "unauthenticated",
            Kind::Text,
            "a rate such as \"300/min\"",
            "Pages of the gateway and refusals, in the long run.",
        )
        .or("300/min"),
        Key::new(
            "unauthenticated_burst",
            integer(1, 100_000),
            "a number from 1 to 100000",
            "The same at once.",
        )
        .or("100"),
        Key::new(
            "public",
            Kind::Text,
            "a rate such as \"6000/min\"",
            "Answers of services on public routes, in the long run: one page of a site is many of them.",
        )
        .or("6000/min"),
        Key::new(
            "public_burst",
            integer(1, 100_000),
            "a number from 1 to 100000",
            "The same at once.",
        )
        .or("2000"),
    ],
    later: &[
        Later {
            name: "account",
            remedy: BY_ACCOUNT,
        },
        Later {
            name: "per_account",
            remedy: BY_ACCOUNT,
        },
    ],
};

pub(crate) const STORAGE: Section = Section {
    name: "storage",
    within: None,
    repeated: false,
    doc: "Where accounts and sessions are kept.",
    keys: &[
        Key::new(
            "database",
            Kind::Text,
            "\"embedded\"",
            "`embedded`: SQLite in the data directory.",
        )
        .or("embedded")
        .later(&["postgres://", "postgresql://"])
        .at_restart(),
        Key::new(
            "sessions",
            Kind::Text,
            "\"embedded\"",
            "`embedded`: in memory, and durable in the database.",
        )
        .or("embedded")
        .later(&["redis://", "rediss://"])
        .at_restart(),
    ],
    later: &[],
};

pub(crate) const JOURNAL: Section = Section {
    name: "journal",
    within: None,
    repeated: false,
    doc: "How long it is remembered who did what.",
    keys: &[
        Key::new(
            "keep_months",
            integer(1, 120),
            "a number of months from 1 to 120",
            "Months until lines are purged.",
        )
        .or("12"),
        Key::new(
            "keep_reason",
            Kind::Text,
            "the reason in a sentence",
            "Why more than twelve months. Required then, so that whoever reads this file finds the reason beside the figure.",
        ),
    ],
    later: &[],
};

pub(crate) const BRAND: Section = Section {
    name: "brand",
    within: None,
    repeated: false,
    doc: "What pages look like.",
    keys: &[
        Key::new(
            "name",
            Kind::Text,
            "1 to 60 characters",
            "The name in titles and headers.",
        )
        .or("octroi"),
        Key::new(
            "logo",
            Kind::Text,
            "an SVG or PNG file of at most 12 KiB",
            "The picture beside the name. An SVG may hold no script, style, foreign object or reference to anything outside it.",
        ),
        Key::new(
            "logo_dark",
            Kind::Text,
            "an SVG or PNG file of at most 12 KiB",
            "The same for dark pages; by default `logo`.",
        ),
        Key::new(
            "accent",
            Kind::Text,
            "a colour such as \"#1f4fa3\"",
            "The colour of links and buttons. Its lightness is moved until text on it can be read; the hue stays.",
        ),
    ],
    later: &[],
};

pub(crate) const CONTACT: Section = Section {
    name: "contact",
    within: None,
    repeated: false,
    doc: "Where pages send people who need somebody, in the footer of each page.",
    keys: &[
        Key::new("support", Kind::Text, LINK, "Help with signing in."),
        Key::new("privacy", Kind::Text, LINK, "The privacy notice."),
        Key::new("dpo", Kind::Text, LINK, "The data protection officer."),
        Key::new(
            "accessibility",
            Kind::Text,
            LINK,
            "The accessibility statement.",
        ),
        Key::new(
            "accessibility_verdict",
            Kind::Text,
            "\"none\", \"partial\" or \"full\"",
            "What that statement says: not, partly or fully conformant.",
        ),
        Key::new(
            "security",
            Kind::Text,
            LINK,
            "Where to report a flaw; also in `security.txt` (RFC 9116).",
        ),
    ],
    later: &[],
};

const LINK: &str = "an address that begins with https:, mailto: or tel:";
