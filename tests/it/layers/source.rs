//! Reads a Rust source as far as imports need it: tokens, items, paths.
//!
//! Comments, literals and items under `#[cfg(test)]` or `#[cfg(all(test, …))]` are left out.

use std::collections::{BTreeMap, BTreeSet};

/// A path such as `super::wire::Seq`, in its segments.
pub(super) type Segments = Vec<String>;

/// The items and paths of one file.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// `mod name;`, with the file that `#[path]` names.
    pub(super) modules: Vec<(String, Option<String>)>,
    /// Items defined at the top level.
    pub(super) items: BTreeSet<String>,
    /// `use` declarations by the name that they bring in.
    pub(super) imports: BTreeMap<String, Vec<Import>>,
    /// Paths outside of `use` declarations; a lone word is a path of one segment.
    pub(super) paths: BTreeSet<Segments>,
}

#[derive(Debug)]
pub(super) struct Import {
    pub(super) path: Segments,
    /// Whether it is `pub`, in whatever scope.
    pub(super) is_public: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
    /// `::`
    Separator,
}

impl Token {
    fn is(&self, sign: char) -> bool {
        *self == Token::Sign(sign)
    }

    fn word(&self) -> Option<&str> {
        match self {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }
}

impl Source {
    pub(super) fn parse(text: &str) -> Source {
        let tokens = without_tests(&tokens(text));
        let mut source = Source::default();
        let mut reader = Reader {
            tokens: &tokens,
            at: 0,
        };
        reader.read(&mut source);
        source
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn read(&mut self, source: &mut Source) {
        let (mut depth, mut is_public, mut path_attribute) = (0_usize, false, None);
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::Sign('#') => {
                    let (end, path) = attribute(self.tokens, self.at);
                    path_attribute = path.or(path_attribute);
                    self.at = end;
                    continue;
                }
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => depth = depth.saturating_sub(1),
                Token::Word(word) if word == "pub" => {
                    is_public = true;
                    self.at += 1;
                    if self.sign('(') {
                        self.at = group_end(self.tokens, self.at);
                    }
                    continue;
                }
                Token::Word(word) if word == "use" => {
                    self.at += 1;
                    self.use_tree(&mut Vec::new(), is_public, source);
                }
                Token::Word(word) if depth == 0 && word == "mod" => {
                    if let Some(name) = self.word_at(self.at + 1)
                        && self
                            .tokens
                            .get(self.at + 2)
                            .is_some_and(|next| next.is(';'))
                    {
                        source.modules.push((name, path_attribute.take()));
                        self.at += 1;
                    }
                }
                Token::Word(word) => {
                    let is_item = depth == 0 && ITEMS.contains(&word.as_str());
                    match self.word_at(self.at + 1).filter(|_| is_item) {
                        Some(name) if name != "fn" && name != "unsafe" => {
                            source.items.insert(name);
                            self.at += 1;
                        }
                        _ => {
                            let path = self.path();
                            source.paths.insert(path);
                            is_public = false;
                            continue;
                        }
                    }
                }
                _ => {}
            }
            (is_public, path_attribute) = (false, None);
            self.at += 1;
        }
    }

    /// Reads a path and stops behind it.
    fn path(&mut self) -> Segments {
        let mut segments = Vec::new();
        while let Some(word) = self.word_at(self.at) {
            segments.push(word);
            self.at += 1;
            if self.tokens.get(self.at) != Some(&Token::Separator)
                || self.word_at(self.at + 1).is_none()
            {
                break;
            }
            self.at += 1;
        }
        segments
    }

    /// Reads a tree of a `use` declaration and stops at the sign behind it.
    fn use_tree(&mut self, prefix: &mut Segments, is_public: bool, source: &mut Source) {
        let length = prefix.len();
        loop {
            if let Some(word) = self.word_at(self.at) {
                prefix.push(word);
            } else if self.sign('{') {
                self.at += 1;
                while !self.sign('}') {
                    self.use_tree(prefix, is_public, source);
                    if self.sign(',') {
                        self.at += 1;
                    }
                }
                self.at += 1;
                break;
            }
            self.at += 1;
            if self.tokens.get(self.at) != Some(&Token::Separator) {
                self.import(prefix, is_public, source);
                break;
            }
            self.at += 1;
        }
        prefix.truncate(length);
    }

    fn import(&mut self, path: &[String], is_public: bool, source: &mut Source) {
        let mut path = path.to_vec();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned();
        if self.word_at(self.at).is_some_and(|word| word == "as") {
            name = self.word_at(self.at + 1);
            self.at += 2;
        }
        if let Some(name) = name {
            let import = Import { path, is_public };
            source.imports.entry(name).or_default().push(import);
        }
    }

    fn sign(&self, sign: char) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is(sign))
    }

    fn word_at(&self, at: usize) -> Option<String> {
        self.tokens.get(at)?.word().map(str::to_owned)
    }
}

const ITEMS: &[&str] = &[
    "struct", "enum", "fn", "trait", "const", "static", "type", "union",
];

/// The end of the attribute at `at`, and the file that it names if it is `#[path = "…"]`.
fn attribute(tokens: &[Token], at: usize) -> (usize, Option<String>) {
    let open = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.is('!')));
    let end = group_end(tokens, open);
    match &tokens[open..end] {
        [_, Token::Word(word), _, Token::Text(path), ..] if word == "path" => {
            (end, Some(path.clone()))
        }
        _ => (end, None),
    }
}

/// The place behind the group of brackets that opens at `at`.
fn group_end(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// Leaves out what is compiled for tests only.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        let end = if token.is('#') {
            attribute(tokens, at).0
        } else {
            at + 1
        };
        if token.is('#') && is_for_tests(&tokens[at..end]) {
            at = item_end(tokens, end);
        } else {
            kept.extend_from_slice(&tokens[at..end]);
            at = end;
        }
    }
    kept
}

fn is_for_tests(attribute: &[Token]) -> bool {
    let words: Vec<&str> = attribute.iter().filter_map(Token::word).take(3).collect();
    matches!(words[..], ["cfg", "test", ..] | ["cfg", "all", "test", ..])
}

/// The place behind the item, statement or field at `at`.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Sign(';' | ',') => return at + 1,
            Token::Sign('}') => return at,
            Token::Sign('{') => return group_end(tokens, at),
            Token::Sign('(' | '[') => at = group_end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

fn tokens(text: &str) -> Vec<Token> {
    let signs: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&sign) = signs.get(at) {
        let next = signs.get(at + 1).copied();
        match (sign, next) {
            ('/', Some('/')) => at = find(&signs, at, "\n"),
            ('/', Some('*')) => at = find(&signs, at, "*/") + 2,
            (':', Some(':')) => {
                tokens.push(Token::Separator);
                at += 2;
            }
            ('"', _) => {
                let end = string_end(&signs, at + 1);
                tokens.push(Token::Text(signs[at + 1..end].iter().collect()));
                at = end + 1;
            }
            ('r', Some('"' | '#')) if raw_string_end(&signs, at).is_some() => {
                at = raw_string_end(&signs, at).unwrap_or(signs.len());
            }
            ('\'', Some('\\')) => at = find(&signs, at + 3, "'") + 1,
            ('\'', _) if signs.get(at + 2) == Some(&'\'') => at += 3,
            _ if sign.is_alphanumeric() || sign == '_' => {
                let is_word = |sign: &&char| sign.is_alphanumeric() || **sign == '_';
                let word: String = signs[at..].iter().take_while(is_word).collect();
                at += word.chars().count();
                tokens.push(Token::Word(word));
            }
            _ => {
                if !sign.is_whitespace() {
                    tokens.push(Token::Sign(sign));
                }
                at += 1;
            }
        }
    }
    tokens
}

fn find(signs: &[char], from: usize, wanted: &str) -> usize {
    let wanted: Vec<char> = wanted.chars().collect();
    (from..signs.len())
        .find(|at| signs[*at..].starts_with(&wanted))
        .unwrap_or(signs.len())
}

fn string_end(signs: &[char], from: usize) -> usize {
    let mut at = from;
    while at < signs.len() && signs[at] != '"' {
        at += 1 + usize::from(signs[at] == '\\');
    }
    at.min(signs.len())
}

fn raw_string_end(signs: &[char], at: usize) -> Option<usize> {
    let marks = signs[at + 1..]
        .iter()
        .take_while(|sign| **sign == '#')
        .count();
    let opens = signs.get(at + 1 + marks) == Some(&'"');
    let end = format!("\"{}", "#".repeat(marks));
    opens.then(|| find(signs, at + marks + 2, &end) + end.len())
}
