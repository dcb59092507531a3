//! A frame as docs/protocol.md describes it: a name and a map. It is encoded and decoded without
//! the crate's own types, so that a mistake in those cannot hide itself.

use std::collections::BTreeMap;

use serde_cbor::Value;

/// A frame of either side.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub name: String,
    value: BTreeMap<Value, Value>,
}

impl Frame {
    pub fn new<const N: usize>(name: &str, entries: [(&str, Value); N]) -> Frame {
        let entries = entries.map(|(key, value)| (text(key), value));
        Frame {
            name: name.to_owned(),
            value: BTreeMap::from(entries),
        }
    }

    /// Adds an entry.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Frame {
        self.value.insert(text(key), value);
        self
    }

    /// Encodes the frame's item, without the length prefix.
    pub fn item(&self) -> Vec<u8> {
        let value = Value::Map(self.value.clone());
        let frame = Value::Map(BTreeMap::from([(text(&self.name), value)]));
        serde_cbor::to_vec(&frame).expect("a value is serializable")
    }

    /// Encodes the frame: the length prefix and the item.
    pub fn bytes(&self) -> Vec<u8> {
        prefixed(&self.item())
    }

    /// Decodes an item.
    pub fn parse(item: &[u8]) -> Frame {
        let value: Value = serde_cbor::from_slice(item).expect("the server sends cbor");
        let Value::Map(frame) = value else {
            panic!("a frame is a map: {value:?}");
        };
        assert_eq!(frame.len(), 1, "a frame is a map with one entry");
        match frame.into_iter().next() {
            Some((Value::Text(name), Value::Map(value))) => Frame { name, value },
            other => panic!("a frame has a name and a map: {other:?}"),
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.value.get(&text(key))
    }

    /// Returns the number under a key.
    pub fn num(&self, key: &str) -> u64 {
        match self.get(key) {
            Some(Value::Integer(number)) => u64::try_from(*number).expect("no number is negative"),
            other => panic!("{key} of {self:?} is {other:?}"),
        }
    }

    /// Returns the text under a key.
    pub fn text(&self, key: &str) -> &str {
        match self.get(key) {
            Some(Value::Text(text)) => text,
            other => panic!("{key} of {self:?} is {other:?}"),
        }
    }

    /// Returns whether the value under a key is true.
    pub fn flag(&self, key: &str) -> bool {
        self.get(key) == Some(&Value::Bool(true))
    }

    /// Returns the list of texts under a key.
    pub fn texts(&self, key: &str) -> Vec<&str> {
        let Some(Value::Array(items)) = self.get(key) else {
            panic!("{key} of {self:?} is not a list");
        };
        let mut texts = Vec::new();
        for item in items {
            match item {
                Value::Text(text) => texts.push(text.as_str()),
                other => panic!("{other:?} is not a text"),
            }
        }
        texts
    }

    /// Returns the frame's shape: its name, its keys and the kind of each value. For a key with a
    /// fixed set of values in the contract, the value itself is a part of the shape.
    pub fn shape(&self) -> String {
        let kinds = self.value.iter().map(|(key, value)| match (key, value) {
            (Value::Text(key), Value::Text(value))
                if matches!(key.as_str(), "code" | "reason" | "phase" | "role") =>
            {
                format!("{key}={value}")
            }
            (Value::Text(key), value) => format!("{key}={}", kind(value)),
            (other, _) => panic!("a key is text: {other:?}"),
        });
        format!("{} {}", self.name, kinds.collect::<Vec<_>>().join(" "))
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Text(_) => "text".to_owned(),
        Value::Bytes(_) => "bytes".to_owned(),
        Value::Integer(0) => "zero".to_owned(),
        Value::Integer(_) => "number".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Array(items) => format!("[{}]", items.first().map(kind).unwrap_or_default()),
        Value::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{key:?}={}", kind(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
        }
        other => panic!("the contract knows no {other:?}"),
    }
}

/// Puts the length prefix before an item.
pub fn prefixed(item: &[u8]) -> Vec<u8> {
    let length = u32::try_from(item.len()).expect("a frame is below 4 GiB");
    [&length.to_be_bytes()[..], item].concat()
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_owned())
}

fn id(id: u64) -> Value {
    Value::Integer(id.into())
}

/// Makes a frame that has only an id.
pub fn ask(name: &str, number: u64) -> Frame {
    Frame::new(name, [("id", id(number))])
}

pub fn request(number: u64, body: Value) -> Frame {
    Frame::new("request", [("id", id(number)), ("body", body)])
}

pub fn publish(number: u64, body: Value) -> Frame {
    Frame::new("publish", [("id", id(number)), ("body", body)])
}

pub fn login(number: u64, user: &str, password: &str) -> Frame {
    let entries = [
        ("id", id(number)),
        ("user", text(user)),
        ("password", text(password)),
    ];
    Frame::new("login", entries)
}
