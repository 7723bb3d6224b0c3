//! A column of values as the text of a PostgreSQL array: `card_core/store/bulk.py` says which.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyList, PyString};

/// Characters of a usual value.
const USUAL_SIZE: usize = 40;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The text of an array whose elements have this type, one of PostgreSQL's.
///
/// Raises ValueError for an instant without a zone, and for a type that none of our columns has;
/// TypeError for a value that does not go with the type.
#[pyfunction]
pub(crate) fn array_text(kind: &str, values: &Bound<'_, PyList>) -> PyResult<String> {
    let write = match kind {
        "text" => write_text,
        "bytea" => write_bytes,
        "timestamptz" => write_instant,
        "date" => write_date,
        "bigint" | "integer" => write_integer,
        "boolean" => write_boolean,
        _ => return Err(PyValueError::new_err("none of our columns has this type")),
    };
    let mut text = String::with_capacity(values.len() * USUAL_SIZE + 2);
    text.push('{');
    // Rows of a group share much, an instant or an institution: what was written for the value
    // before is copied.
    let mut last: Option<(Bound<'_, PyAny>, usize, usize)> = None;
    for value in values {
        if text.len() > 1 {
            text.push(',');
        }
        let start = text.len();
        match last {
            Some((ref before, from, to)) if before.is(&value) => {
                let again = text[from..to].to_owned();
                text.push_str(&again);
            }
            _ if value.is_none() => text.push_str("NULL"),
            _ => write(&mut text, &value)?,
        }
        last = Some((value, start, text.len()));
    }
    text.push('}');
    Ok(text)
}

/// Between quotes, a backslash and a quote alone mean something.
fn write_text(text: &mut String, value: &Bound<'_, PyAny>) -> PyResult<()> {
    text.push('"');
    let value = value.cast::<PyString>()?.to_str()?;
    if value.contains(['\\', '"']) {
        for character in value.chars() {
            if matches!(character, '\\' | '"') {
                text.push('\\');
            }
            text.push(character);
        }
    } else {
        text.push_str(value);
    }
    text.push('"');
    Ok(())
}

fn write_bytes(text: &mut String, value: &Bound<'_, PyAny>) -> PyResult<()> {
    text.push_str("\"\\\\x");
    let bytes = value.cast::<PyBytes>()?.as_bytes();
    text.reserve(2 * bytes.len() + 2);
    for byte in bytes {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
    text.push('"');
    Ok(())
}

fn write_instant(text: &mut String, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = value.py();
    if value.getattr(intern!(py, "tzinfo"))?.is_none() {
        return Err(PyValueError::new_err("an instant needs a time zone"));
    }
    text.push('"');
    write_iso(text, value)?;
    text.push('"');
    Ok(())
}

fn write_date(text: &mut String, value: &Bound<'_, PyAny>) -> PyResult<()> {
    write_iso(text, value)
}

fn write_iso(text: &mut String, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let written = value.call_method0(intern!(value.py(), "isoformat"))?;
    text.push_str(written.cast::<PyString>()?.to_str()?);
    Ok(())
}

fn write_integer(text: &mut String, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let number: i64 = value.cast::<PyInt>()?.extract()?;
    text.push_str(&number.to_string());
    Ok(())
}

fn write_boolean(text: &mut String, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let Ok(truth) = value.cast::<PyBool>() else {
        return Err(PyTypeError::new_err("a truth is True or False"));
    };
    text.push(if truth.is_true() { 't' } else { 'f' });
    Ok(())
}
