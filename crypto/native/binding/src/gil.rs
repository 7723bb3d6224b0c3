use pyo3::Python;

/// Bytes that take about 50 us to digest. Below that, letting go of the interpreter's lock and
/// taking it again costs other threads more than they gain.
const SHORT_DATA_MAX: usize = 12 * 1024;

/// Works on some bytes, without the interpreter's lock when there are many.
pub(crate) fn work<T: Send>(py: Python<'_>, size: usize, work: impl FnOnce() -> T + Send) -> T {
    if size > SHORT_DATA_MAX {
        py.detach(work)
    } else {
        work()
    }
}
