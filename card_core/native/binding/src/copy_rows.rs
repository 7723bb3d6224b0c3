//! Rows as PostgreSQL's COPY takes them in its binary form: `card_core/store/bulk.py` says which.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBool, PyBytes, PyInt, PyList, PyString, PyTzInfo};

/// Bytes of a usual value, with its length.
const USUAL_SIZE: usize = 40;
/// Signature, flags and the length of an extension that is not there.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// The first of January 2000, as Python counts days.
const FIRST_DAY: i32 = 730_120;
const SECONDS_A_DAY: i64 = 86_400;
const MICROSECONDS_A_SECOND: i64 = 1_000_000;

type Write = fn(&mut Vec<u8>, &Bound<'_, PyAny>) -> PyResult<()>;

/// Rows in COPY's binary form, given column by column. kinds: of each column, one of PostgreSQL's.
///
/// Raises ValueError for an instant without a zone, for a type that none of our columns has, and
/// where the columns differ in length; TypeError for a value that does not go with the type;
/// OverflowError for a number that is beyond it.
#[pyfunction]
pub(crate) fn copy_rows<'py>(
    py: Python<'py>,
    kinds: &Bound<'py, PyList>,
    columns: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyBytes>> {
    let kinds: Vec<PyBackedStr> = kinds.extract()?;
    let columns: Vec<Bound<'py, PyList>> = columns.extract()?;
    let rows = columns.first().map_or(0, |column| column.len());
    if kinds.len() != columns.len() || columns.iter().any(|column| column.len() != rows) {
        return Err(PyValueError::new_err(
            "columns have one type and one length",
        ));
    }
    let writers = kinds
        .iter()
        .map(|kind| writer(kind))
        .collect::<PyResult<Vec<_>>>()?;
    let count = i16::try_from(columns.len())?.to_be_bytes();
    let mut text = Vec::with_capacity(rows * columns.len() * USUAL_SIZE);
    text.extend(HEADER);
    // Rows of a table share much, an instant or a batch: what was written for the value before is
    // copied.
    let mut last: Vec<Option<(Bound<'_, PyAny>, usize, usize)>> = vec![None; columns.len()];
    for row in 0..rows {
        text.extend(count);
        for ((column, write), last) in columns.iter().zip(&writers).zip(&mut last) {
            let value = column.get_item(row)?;
            match last {
                Some((before, from, to)) if before.is(&value) => {
                    text.extend_from_within(*from..*to)
                }
                _ => {
                    let start = text.len();
                    write_sized(&mut text, &value, *write)?;
                    *last = Some((value, start, text.len()));
                }
            }
        }
    }
    text.extend(TRAILER);
    Ok(PyBytes::new(py, &text))
}

fn writer(kind: &str) -> PyResult<Write> {
    Ok(match kind {
        "text" => write_text,
        "bytea" => write_bytes,
        "timestamptz" => write_instant,
        "date" => write_date,
        "bigint" => write_bigint,
        "integer" => write_integer,
        "boolean" => write_boolean,
        _ => return Err(PyValueError::new_err("none of our columns has this type")),
    })
}

/// A value behind its length, 4 bytes; None is NULL.
fn write_sized(text: &mut Vec<u8>, value: &Bound<'_, PyAny>, write: Write) -> PyResult<()> {
    if value.is_none() {
        text.extend(NULL);
        return Ok(());
    }
    let start = text.len();
    text.extend([0; 4]);
    write(text, value)?;
    let size = i32::try_from(text.len() - start - 4)?;
    text[start..start + 4].copy_from_slice(&size.to_be_bytes());
    Ok(())
}

fn write_text(text: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    text.extend(value.cast::<PyString>()?.to_str()?.as_bytes());
    Ok(())
}

fn write_bytes(text: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    text.extend(value.cast::<PyBytes>()?.as_bytes());
    Ok(())
}

/// Microseconds since the beginning of 2000.
fn write_instant(text: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = value.py();
    if value.getattr(intern!(py, "tzinfo"))?.is_none() {
        return Err(PyValueError::new_err("an instant needs a time zone"));
    }
    let utc = value.call_method1(intern!(py, "astimezone"), (PyTzInfo::utc(py)?,))?;
    let part = |name| utc.getattr(name)?.extract::<i64>();
    let seconds = i64::from(days(&utc)?) * SECONDS_A_DAY
        + part(intern!(py, "hour"))? * 3600
        + part(intern!(py, "minute"))? * 60
        + part(intern!(py, "second"))?;
    let microseconds = seconds * MICROSECONDS_A_SECOND + part(intern!(py, "microsecond"))?;
    text.extend(microseconds.to_be_bytes());
    Ok(())
}

fn write_date(text: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    text.extend(days(value)?.to_be_bytes());
    Ok(())
}

/// Since the beginning of 2000.
fn days(value: &Bound<'_, PyAny>) -> PyResult<i32> {
    let ordinal: i32 = value
        .call_method0(intern!(value.py(), "toordinal"))?
        .extract()?;
    Ok(ordinal - FIRST_DAY)
}

fn write_bigint(text: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let number: i64 = value.cast::<PyInt>()?.extract()?;
    text.extend(number.to_be_bytes());
    Ok(())
}

fn write_integer(text: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let number: i32 = value.cast::<PyInt>()?.extract()?;
    text.extend(number.to_be_bytes());
    Ok(())
}

fn write_boolean(text: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let Ok(truth) = value.cast::<PyBool>() else {
        return Err(PyTypeError::new_err("a truth is True or False"));
    };
    text.push(u8::from(truth.is_true()));
    Ok(())
}
