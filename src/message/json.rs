//! The few fields of a client's message, found without building the rest of it.
//!
//! Why not a `serde_json::Value`: it gives up at 128 levels of nesting, which is valid JSON all the
//! same; it cannot tell `1e2` from `100`; and it allocates for whatever a client cares to send. Here
//! a message costs one pass, and no memory but a byte per open bracket.

use std::borrow::Cow;

/// The JSON text of the fields that requests have. One that is missing or null is `None`; of one that
/// is there twice the last counts, as with `JSON.parse`.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) action: Option<&'a str>,
    pub(super) room_id: Option<&'a str>,
    pub(super) last_seq: Option<&'a str>,
    pub(super) epoch: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// Reads an object; `None` where `bytes` are anything else than one JSON object (RFC 8259), or
    /// where a string in it is not Unicode text (a lone surrogate).
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut scanner = Scanner { text, at: 0 };
        let mut fields = Self::default();
        scanner.space();
        scanner.take(b'{')?;
        scanner.space();
        if scanner.take(b'}').is_none() {
            loop {
                let name = string(scanner.string()?)?;
                scanner.colon()?;
                let value = scanner.value()?;
                let value = (value != "null").then_some(value);
                match &*name {
                    "action" => fields.action = value,
                    "roomId" => fields.room_id = value,
                    "lastSeq" => fields.last_seq = value,
                    "epoch" => fields.epoch = value,
                    _ => {}
                }
                scanner.space();
                if scanner.take(b',').is_none() {
                    break;
                }
                scanner.space();
            }
            scanner.take(b'}')?;
        }
        scanner.space();
        (scanner.at == text.len()).then_some(fields)
    }
}

/// What a JSON string says; `None` where `json`, a value's text, is no string.
pub(super) fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn colon(&mut self) -> Option<()> {
        self.space();
        self.take(b':')?;
        self.space();
        Some(())
    }

    /// One value of any kind. The open brackets are kept on the heap: a client must not be able to
    /// exhaust the stack.
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                bracket @ (b'{' | b'[') => {
                    self.at += 1;
                    open.push(bracket + 2);
                    self.space();
                    if self.take(bracket + 2).is_none() {
                        if bracket == b'{' {
                            self.name()?;
                        }
                        continue;
                    }
                    open.pop();
                }
                b'"' => drop(self.string()?),
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            // A value has ended: so may those around it.
            loop {
                let Some(&closing) = open.last() else {
                    return Some(&self.text[start..self.at]);
                };
                self.space();
                if self.take(b',').is_some() {
                    self.space();
                    if closing == b'}' {
                        self.name()?;
                    }
                    break;
                }
                self.take(closing)?;
                open.pop();
            }
        }
    }

    fn name(&mut self) -> Option<()> {
        self.string()?;
        self.colon()
    }

    /// A string with its quotes.
    fn string(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.take(b'"')?;
        loop {
            match self.next()? {
                b'"' => return Some(&self.text[start..self.at]),
                b'\\' => self.escape()?,
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => match self.unit()? {
                0xd800..0xdc00 => {
                    self.word("\\u")?;
                    matches!(self.unit()?, 0xdc00..0xe000).then_some(())
                }
                0xdc00..0xe000 => None,
                _ => Some(()),
            },
            _ => None,
        }
    }

    /// The four digits of a `\u` escape.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, digit| {
            let digit = char::from(*digit).to_digit(16)? as u16;
            Some(unit << 4 | digit)
        })
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        rest.starts_with(word.as_bytes())
            .then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests;
