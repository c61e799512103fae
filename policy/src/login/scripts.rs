//! Which writing systems a login uses, as far as telling look-alikes apart needs it.

/// Whether letters of several scripts stand together, other than those that are written together:
/// Japanese, Chinese with Bopomofo, Korean with Han, each also with Latin (Unicode TS 39,
/// section 5.2, "Highly Restrictive").
pub(super) fn mixes_scripts(text: &str) -> bool {
    let seen = text
        .chars()
        .filter_map(script)
        .fold(0_u16, |seen, script| seen | script.bit());
    let together = [
        Script::Latin.bit() | Script::Han.bit() | Script::Kana.bit(),
        Script::Latin.bit() | Script::Han.bit() | Script::Bopomofo.bit(),
        Script::Latin.bit() | Script::Han.bit() | Script::Hangul.bit(),
    ];
    seen.count_ones() > 1 && !together.iter().any(|allowed| seen & !allowed == 0)
}

/// Whether a text in another script reads as Latin to the eye, letter by letter.
pub(super) fn looks_latin(text: &str) -> bool {
    let mut letters = text
        .chars()
        .filter(|character| !character.is_ascii())
        .peekable();
    letters.peek().is_some()
        && letters.all(|letter| LATIN_LOOK_ALIKES.contains(&letter))
        && !text
            .chars()
            .any(|character| character.is_ascii_alphabetic())
}

/// A writing system. Scripts of which no login will hold more than one are told apart by block.
#[derive(Clone, Copy)]
enum Script {
    Arabic,
    Armenian,
    Bopomofo,
    Cyrillic,
    Devanagari,
    Ethiopic,
    Georgian,
    Greek,
    Han,
    Hangul,
    Hebrew,
    Kana,
    Latin,
    Thai,
    Other,
    OtherAstral,
}

impl Script {
    const fn bit(self) -> u16 {
        match self {
            Self::Arabic => 1,
            Self::Armenian => 1 << 1,
            Self::Bopomofo => 1 << 2,
            Self::Cyrillic => 1 << 3,
            Self::Devanagari => 1 << 4,
            Self::Ethiopic => 1 << 5,
            Self::Georgian => 1 << 6,
            Self::Greek => 1 << 7,
            Self::Han => 1 << 8,
            Self::Hangul => 1 << 9,
            Self::Hebrew => 1 << 10,
            Self::Kana => 1 << 11,
            Self::Latin => 1 << 12,
            Self::Thai => 1 << 13,
            Self::Other => 1 << 14,
            Self::OtherAstral => 1 << 15,
        }
    }
}

/// The script of a letter; `None` for digits, punctuation and combining marks, which belong to all.
const fn script(character: char) -> Option<Script> {
    Some(match character {
        'a'..='z'
        | 'A'..='Z'
        | '\u{aa}'
        | '\u{ba}'
        | '\u{c0}'..='\u{d6}'
        | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2af}'
        | '\u{1d00}'..='\u{1d25}'
        | '\u{1e00}'..='\u{1eff}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a722}'..='\u{a7ff}'
        | '\u{ab30}'..='\u{ab5a}' => Script::Latin,
        '\u{370}'..='\u{3e1}' | '\u{3f0}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' => Script::Cyrillic,
        '\u{531}'..='\u{587}' => Script::Armenian,
        '\u{5d0}'..='\u{5f2}' => Script::Hebrew,
        '\u{620}'..='\u{64a}'
        | '\u{66e}'..='\u{6ff}'
        | '\u{750}'..='\u{77f}'
        | '\u{8a0}'..='\u{8ff}' => Script::Arabic,
        '\u{900}'..='\u{97f}' => Script::Devanagari,
        '\u{e01}'..='\u{e4e}' => Script::Thai,
        '\u{10a0}'..='\u{10ff}' | '\u{1c90}'..='\u{1cbf}' | '\u{2d00}'..='\u{2d2f}' => {
            Script::Georgian
        }
        '\u{1200}'..='\u{139f}' | '\u{2d80}'..='\u{2ddf}' => Script::Ethiopic,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{31f0}'..='\u{31ff}' => Script::Kana,
        '\u{3105}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' => Script::Bopomofo,
        '\u{ac00}'..='\u{d7a3}' | '\u{3131}'..='\u{318e}' => Script::Hangul,
        '\u{3005}'..='\u{3007}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}' => Script::Han,
        '\u{0}'..='\u{7f}' | '\u{80}'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2b0}'..='\u{36f}' => {
            return None;
        }
        '\u{3099}'..='\u{309c}'
        | '\u{30fc}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' => return None,
        '\u{10000}'..='\u{1ffff}' => Script::OtherAstral,
        _ => Script::Other,
    })
}

/// Lower-case Cyrillic, Greek and Armenian letters that cannot be told from Latin ones in common
/// fonts (a selection from `confusables.txt` of Unicode TS 39, restricted to single letters).
const LATIN_LOOK_ALIKES: &[char] = &[
    'а', 'с', 'ԁ', 'е', 'һ', 'і', 'ј', 'ӏ', 'о', 'р', 'ԛ', 'ѕ', 'у', 'х', 'ԝ',
    'ѵ', // Cyrillic
    'α', 'ι', 'ν', 'ο', 'ρ', 'υ', 'γ', // Greek
    'հ', 'ո', 'օ', 'ս', 'զ', 'ց', // Armenian
];
