//! The published values of `tests/vectors/sm_official.json`, found by their names.

use super::hex;

const TEXT: &str = include_str!("../../../../../tests/vectors/sm_official.json");

/// One section of the file.
pub(crate) struct Official(&'static str);

impl Official {
    /// Opens a section; it ends where the next one begins.
    pub(crate) fn section(name: &str) -> Self {
        let start = TEXT
            .find(&format!("\"{name}\":"))
            .expect("the section is in the file");
        let rest = &TEXT[start..];
        Self(
            &rest[..rest
                .find("\n }")
                .or(rest.find("\n ]"))
                .unwrap_or(rest.len())],
        )
    }

    /// Reads a hexadecimal value.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name))
    }

    /// Reads a hexadecimal value of 32 bytes.
    pub(crate) fn number(&self, name: &str) -> [u8; 32] {
        self.bytes(name).try_into().expect("the value has 32 bytes")
    }

    /// Reads a text.
    pub(crate) fn text(&self, name: &str) -> &'static str {
        let (_, rest) = self
            .0
            .split_once(&format!("\"{name}\": \""))
            .expect("the value is there");
        rest.split_once('"').expect("the value ends").0
    }
}
