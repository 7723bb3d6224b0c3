use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sscard_status_list::{Changes, Error, LISTED_MAX};

use crate::errors::no_list;

/// The states of the positions of one day; never changes, serves all threads.
#[pyclass(module = "card_core._native", frozen, eq)]
#[derive(PartialEq, Eq)]
pub(crate) struct StatusList(sscard_status_list::StatusList);

#[pymethods]
impl StatusList {
    /// Take positions that are not good, as pairs of index and state, in any order.
    ///
    /// Raises InvalidListError.
    #[new]
    fn new(py: Python<'_>, size: &Bound<'_, PyAny>, listed: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (size, listed) = (read_size(size)?, read_positions(listed)?);
        py.detach(|| sscard_status_list::StatusList::new(size, listed))
            .map(Self)
            .map_err(no_list)
    }

    /// Read a body. Raises MalformedListError, and InvalidListError for the size.
    #[staticmethod]
    fn decode(py: Python<'_>, size: &Bound<'_, PyAny>, body: &[u8]) -> PyResult<Self> {
        let size = read_size(size)?;
        py.detach(|| sscard_status_list::StatusList::decode(size, body))
            .map(Self)
            .map_err(no_list)
    }

    /// The body, of which there is only one.
    fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.0.encode()))
    }

    #[getter]
    const fn size(&self) -> u32 {
        self.0.size()
    }

    #[getter]
    fn listed(&self) -> usize {
        self.0.listed()
    }

    /// The state at a position. Raises InvalidListError beyond the list.
    fn state(&self, index: &Bound<'_, PyAny>) -> PyResult<u8> {
        index
            .extract()
            .ok()
            .and_then(|index| self.0.state(index))
            .ok_or_else(|| no_list(Error::Position))
    }

    /// The changes that lead to a later list. Raises InvalidListError for another size.
    fn changes_to<'py>(
        &self,
        py: Python<'py>,
        later: &Bound<'py, Self>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let later = later.get();
        let changes = py.detach(|| Ok(self.0.changes_to(&later.0)?.encode()));
        Ok(PyBytes::new(py, &changes.map_err(no_list)?))
    }

    /// The list after changes. Raises MalformedListError; InvalidListError.
    fn apply(&self, py: Python<'_>, changes: &[u8]) -> PyResult<Self> {
        py.detach(|| self.0.apply(&Changes::decode(self.0.size(), changes)?))
            .map(Self)
            .map_err(no_list)
    }

    fn __repr__(&self) -> String {
        format!(
            "<card_core.status_list.StatusList of {} positions, {} listed>",
            self.0.size(),
            self.0.listed()
        )
    }
}

/// Changes from pairs of index and new state, in any order. Raises InvalidListError.
#[pyfunction]
pub(crate) fn status_changes<'py>(
    py: Python<'py>,
    size: &Bound<'py, PyAny>,
    changed: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (size, changed) = (read_size(size)?, read_positions(changed)?);
    let changes = py.detach(|| Ok(Changes::new(size, changed)?.encode()));
    Ok(PyBytes::new(py, &changes.map_err(no_list)?))
}

/// Changes that follow each other, as one. Raises MalformedListError; InvalidListError.
#[pyfunction]
pub(crate) fn compose_status_changes<'py>(
    py: Python<'py>,
    size: &Bound<'py, PyAny>,
    steps: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let size = read_size(size)?;
    let mut all = Changes::new(size, []).map_err(no_list)?;
    for step in steps.try_iter()? {
        let step = step?;
        let step: &[u8] = step.extract()?;
        let changes = py.detach(|| all.then(&Changes::decode(size, step)?));
        all = changes.map_err(no_list)?;
    }
    Ok(PyBytes::new(py, &py.detach(|| all.encode())))
}

fn read_size(size: &Bound<'_, PyAny>) -> PyResult<u32> {
    size.extract().map_err(|_| no_list(Error::Size))
}

fn read_positions(positions: &Bound<'_, PyAny>) -> PyResult<Vec<(u32, u8)>> {
    let mut read = Vec::new();
    for position in positions.try_iter()?.take(LISTED_MAX + 1) {
        let (index, state) = position?.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        read.push((
            index.extract().map_err(|_| no_list(Error::Position))?,
            state.extract().map_err(|_| no_list(Error::State))?,
        ));
    }
    Ok(read)
}
