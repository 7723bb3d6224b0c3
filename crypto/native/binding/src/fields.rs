//! Rows of named, typed values as bytes: `crypto/fields.py` says which.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyInt, PyList, PyString, PyTuple, PyTzInfo,
};
use sscard_sm::hmac::HmacSm3;
use sscard_sm::sm3;

use crate::gil::work;
use crate::self_test::operational;

/// What comes first in every row, so that it is no other kind of message.
const KIND: &[u8] = b"row";
/// Bytes of a usual row.
const USUAL_SIZE: usize = 1024;
/// Bytes of rows that are written before they are hashed, without the interpreter's lock.
const HASHED_AT_ONCE: usize = 32 * 1024;

/// A key of HMAC-SM3 of any length, for many rows: it is hashed once, and wiped at its end.
#[pyclass(module = "crypto.fields", frozen)]
pub(crate) struct FieldsKey(Box<HmacSm3>);

#[pymethods]
impl FieldsKey {
    #[new]
    fn new(key: &[u8]) -> PyResult<Self> {
        operational()?;
        Ok(Self(Box::new(HmacSm3::new(key))))
    }

    /// The tag of a row, 32 bytes: HMAC-SM3 of `encode(table, values)`.
    ///
    /// Raises TypeError for a value of another type.
    fn tag<'py>(
        &self,
        py: Python<'py>,
        table: &str,
        values: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        let mut row = Vec::with_capacity(USUAL_SIZE);
        write_row(&mut row, table, values)?;
        Ok(PyBytes::new(py, &self.0.tag_of(&row)))
    }

    /// The tags of many rows, 32 bytes each: as `tag`, of values in the order of their names.
    ///
    /// Raises TypeError for a value of another type, ValueError for a row of another length.
    fn tags<'py>(
        &self,
        py: Python<'py>,
        table: &str,
        names: &Bound<'py, PyTuple>,
        rows: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyList>> {
        operational()?;
        let names: Vec<PyBackedStr> = names.extract()?;
        let mut in_order: Vec<_> = names.iter().enumerate().collect();
        in_order.sort_unstable_by_key(|(_, name)| &***name);
        let mut tags = Vec::new();
        let mut text = Vec::with_capacity(HASHED_AT_ONCE + USUAL_SIZE);
        let mut ends = Vec::new();
        let mut tag_all = |text: &mut Vec<u8>, ends: &mut Vec<usize>| {
            work(py, text.len(), || {
                let mut start = 0;
                for end in ends.drain(..) {
                    tags.push(self.0.tag_of(&text[start..end]));
                    start = end;
                }
            });
            text.clear();
        };
        for row in rows {
            let row = row.cast::<PyTuple>()?;
            if row.len() != names.len() {
                return Err(PyValueError::new_err("a row has a value for each name"));
            }
            write_part(&mut text, KIND)?;
            write_part(&mut text, table.as_bytes())?;
            for (at, name) in &in_order {
                let value = row.get_borrowed_item(*at)?;
                if !value.is_none() {
                    write_named(&mut text, name, &value)?;
                }
            }
            ends.push(text.len());
            if text.len() >= HASHED_AT_ONCE {
                tag_all(&mut text, &mut ends);
            }
        }
        tag_all(&mut text, &mut ends);
        PyList::new(py, tags.iter().map(|tag| PyBytes::new(py, tag)))
    }

    fn __repr__(&self) -> &'static str {
        "<crypto.fields.Key>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a key is not pickled or copied"))
    }
}

/// A row as bytes: see `crypto.fields`. Raises TypeError for a value of another type.
#[pyfunction]
pub(crate) fn fields_encode<'py>(
    py: Python<'py>,
    table: &str,
    values: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let mut row = Vec::with_capacity(USUAL_SIZE);
    write_row(&mut row, table, values)?;
    Ok(PyBytes::new(py, &row))
}

/// SM3, 32 bytes, over rows in their order, each as `encode` has it and behind its length.
///
/// Raises TypeError for a value of another type.
#[pyfunction]
pub(crate) fn fields_digest<'py>(
    py: Python<'py>,
    table: &str,
    rows: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let mut digest = sm3::Sm3::new();
    let mut text = Vec::with_capacity(HASHED_AT_ONCE + USUAL_SIZE);
    for values in rows {
        let start = text.len();
        text.extend([0; 4]);
        write_row(&mut text, table, values.cast()?)?;
        let size = size_of(text.len() - start - 4)?;
        text[start..start + 4].copy_from_slice(&size);
        if text.len() >= HASHED_AT_ONCE {
            work(py, text.len(), || digest.update(&text));
            text.clear();
        }
    }
    work(py, text.len(), || digest.update(&text));
    Ok(PyBytes::new(py, &digest.digest()))
}

fn write_row(row: &mut Vec<u8>, table: &str, values: &Bound<'_, PyDict>) -> PyResult<()> {
    let mut present = Vec::with_capacity(values.len());
    for (name, value) in values {
        if !value.is_none() {
            present.push((name.cast_into::<PyString>()?, value));
        }
    }
    // By the bytes of UTF-8, which is by code points, as Python sorts.
    let mut in_order = Vec::with_capacity(present.len());
    for (name, value) in &present {
        in_order.push((name.to_str()?, value));
    }
    in_order.sort_unstable_by_key(|(name, _)| *name);
    write_part(row, KIND)?;
    write_part(row, table.as_bytes())?;
    for (name, value) in in_order {
        write_named(row, name, value)?;
    }
    Ok(())
}

fn write_named(row: &mut Vec<u8>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    write_part(row, name.as_bytes())?;
    let start = row.len();
    row.extend([0; 4]);
    write_value(row, value)?;
    let size = size_of(row.len() - start - 4)?;
    row[start..start + 4].copy_from_slice(&size);
    Ok(())
}

fn write_part(row: &mut Vec<u8>, part: &[u8]) -> PyResult<()> {
    row.extend(size_of(part.len())?);
    row.extend(part);
    Ok(())
}

fn size_of(bytes: usize) -> PyResult<[u8; 4]> {
    u32::try_from(bytes)
        .map(u32::to_be_bytes)
        .map_err(|_| PyTypeError::new_err("a value has less than 4 GiB"))
}

fn write_value(row: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        row.push(b's');
        row.extend(text.to_str()?.as_bytes());
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        row.push(b'x');
        row.extend(bytes.as_bytes());
    } else if let Ok(truth) = value.cast::<PyBool>() {
        row.extend(if truth.is_true() { b"b1" } else { b"b0" });
    } else if let Ok(number) = value.cast::<PyInt>() {
        row.push(b'i');
        write_integer(row, number)?;
    } else if let Ok(time) = value.cast::<PyDateTime>() {
        row.push(b't');
        write_time(row, time)?;
    } else if let Ok(day) = value.cast::<PyDate>() {
        row.push(b'd');
        write_text(row, &day.call_method0(intern!(day.py(), "isoformat"))?)?;
    } else {
        return Err(PyTypeError::new_err(
            "a row that decides can't hold this type",
        ));
    }
    Ok(())
}

fn write_integer(row: &mut Vec<u8>, number: &Bound<'_, PyInt>) -> PyResult<()> {
    if let Ok(small) = number.extract::<i64>() {
        row.extend(small.to_string().as_bytes());
        return Ok(());
    }
    // Of the number, not of a class of its own that shows itself in another way.
    let plain = number.py().get_type::<PyInt>();
    let plain = plain.call_method1(intern!(number.py(), "__repr__"), (number,))?;
    write_text(row, &plain)
}

/// In UTC, with six digits of the second.
fn write_time(row: &mut Vec<u8>, time: &Bound<'_, PyDateTime>) -> PyResult<()> {
    let py = time.py();
    let utc = utc(py)?;
    let here = if time.getattr(intern!(py, "tzinfo"))?.is(utc) {
        time.as_any().clone()
    } else {
        time.call_method1(intern!(py, "astimezone"), (utc,))?
    };
    let form = (intern!(py, "T"), intern!(py, "microseconds"));
    write_text(row, &here.call_method1(intern!(py, "isoformat"), form)?)
}

fn write_text(row: &mut Vec<u8>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    row.extend(text.cast::<PyString>()?.to_str()?.as_bytes());
    Ok(())
}

fn utc(py: Python<'_>) -> PyResult<&Bound<'_, PyTzInfo>> {
    static UTC: PyOnceLock<Py<PyTzInfo>> = PyOnceLock::new();
    UTC.get_or_try_init(py, || {
        PyTzInfo::utc(py).map(|zone| zone.to_owned().unbind())
    })
    .map(|zone| zone.bind(py))
}
