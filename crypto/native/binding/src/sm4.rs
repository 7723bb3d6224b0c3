use std::iter::repeat;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList};
use sscard_sm::sm4::{self, BLOCK_SIZE, Block, GcmFailed, Sm4, TAG_SIZE, WRAPPED_SIZE};
use zeroize::Zeroizing;

use crate::errors::not_opened;
use crate::gil::work;
use crate::self_test::operational;

/// A byte of CBC-MAC takes up to as long as so many of a digest.
const MAC_WORK: usize = 8;

/// A key of 16 bytes, kept for many blocks: its round keys are expanded once.
///
/// Raises ValueError for another length. The round keys are wiped when the object goes.
#[pyclass(module = "crypto.sm4", frozen)]
pub(crate) struct Cipher(Sm4);

#[pymethods]
impl Cipher {
    #[new]
    fn new(key: &[u8]) -> PyResult<Self> {
        operational()?;
        Ok(Self(Sm4::new(exact(key)?)))
    }

    /// Encrypt one block of 16 bytes. Raises ValueError for another length.
    fn encrypt_block<'py>(&self, py: Python<'py>, block: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        Ok(PyBytes::new(py, &self.0.encrypt_block(exact(block)?)))
    }

    /// Decrypt one block of 16 bytes. Raises ValueError for another length.
    fn decrypt_block<'py>(&self, py: Python<'py>, block: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        Ok(PyBytes::new(py, &self.0.decrypt_block(exact(block)?)))
    }

    fn __repr__(&self) -> &'static str {
        "<crypto.sm4.Cipher>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a cipher is not pickled or copied"))
    }
}

/// What a text has that nothing comes with.
const NOTHING: &[u8] = b"";

/// A byte of GCM takes up to as long as so many of a digest.
const GCM_WORK: usize = 2;

/// Authenticated encryption under one key of 16 bytes; the tag of 16 bytes comes last.
///
/// A nonce serves once for a key: 12 bytes, from a counter, or random for at most 2^32 messages.
/// Others of 8 to 128 bytes are taken too, because partners use them. Raises ValueError for
/// another length of key or nonce and for a text of 64 GiB, SelfTestError in the error state. What
/// is kept of the key is wiped when the object goes.
#[pyclass(module = "crypto.sm4", frozen)]
pub(crate) struct Gcm(sm4::Gcm);

#[pymethods]
impl Gcm {
    #[new]
    fn new(key: &[u8]) -> PyResult<Self> {
        operational()?;
        Ok(Self(sm4::Gcm::new(exact(key)?)))
    }

    /// Return ciphertext and tag; `aad` is covered by the tag and not sent.
    #[pyo3(
        signature = (nonce, plaintext, aad = NOTHING),
        text_signature = "($self, nonce, plaintext, aad=b'')"
    )]
    fn encrypt<'py>(
        &self,
        py: Python<'py>,
        nonce: &[u8],
        plaintext: &[u8],
        aad: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        PyBytes::new_with(py, plaintext.len() + TAG_SIZE, |sealed| {
            work(py, (plaintext.len() + aad.len()) * GCM_WORK, || {
                self.0.seal(nonce, aad, plaintext, sealed)
            })
            .map_err(gcm_failed)
        })
    }

    /// Encrypt the texts of a table, column by column: of each `head`, its own 12 bytes of `nonces`,
    /// ciphertext and tag.
    ///
    /// aads: of each column, and tails: of each row, what a tag covers, one behind the other. Raises
    /// ValueError for more than 65536 texts or 64 MiB, and for other numbers of texts or nonces.
    fn encrypt_each<'py>(
        &self,
        py: Python<'py>,
        head: &[u8],
        nonces: &[u8],
        plaintexts: &Bound<'py, PyList>,
        aads: &Bound<'py, PyList>,
        tails: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyList>> {
        operational()?;
        let table = Table::new(head, plaintexts, aads, tails)?;
        if nonces.len() != table.texts.len() * EACH_NONCE_SIZE {
            return Err(table_shape());
        }
        let start = head.len() + EACH_NONCE_SIZE;
        let sizes: Vec<_> = table
            .texts
            .iter()
            .map(|text| start + text.len() + TAG_SIZE)
            .collect();
        let mut sealed = vec![0; sizes.iter().sum()];
        work(py, sealed.len() * GCM_WORK, || {
            let nonces = nonces.chunks_exact(EACH_NONCE_SIZE);
            table.each(&sizes, &mut sealed, nonces, |text, aad, whole, nonce| {
                whole[..head.len()].copy_from_slice(head);
                whole[head.len()..start].copy_from_slice(nonce);
                self.0.seal(nonce, aad, text, &mut whole[start..])
            })
        })
        .map_err(gcm_failed)?;
        in_pieces(py, &sizes, &sealed)
    }

    /// The inverse of `encrypt_each`. Raises DecryptionError, whatever is wrong and wherever, and
    /// ValueError for more than 65536 texts or 64 MiB, and for another number of them.
    fn decrypt_each<'py>(
        &self,
        py: Python<'py>,
        head: &[u8],
        sealed: &Bound<'py, PyList>,
        aads: &Bound<'py, PyList>,
        tails: &Bound<'py, PyList>,
    ) -> PyResult<Bound<'py, PyList>> {
        operational()?;
        let table = Table::new(head, sealed, aads, tails)?;
        let around = head.len() + EACH_NONCE_SIZE + TAG_SIZE;
        if table
            .texts
            .iter()
            .any(|whole| !whole.starts_with(head) || whole.len() < around)
        {
            return Err(not_opened());
        }
        let sizes: Vec<_> = table
            .texts
            .iter()
            .map(|whole| whole.len() - around)
            .collect();
        let mut opened = Zeroizing::new(vec![0; sizes.iter().sum()]);
        work(py, opened.len() * GCM_WORK, || {
            table.each(&sizes, &mut opened, repeat(()), |whole, aad, text, ()| {
                let (nonce, ciphertext) = whole[head.len()..].split_at(EACH_NONCE_SIZE);
                self.0.open(nonce, aad, ciphertext, text)
            })
        })
        .map_err(gcm_failed)?;
        in_pieces(py, &sizes, &opened)
    }

    /// Return the plaintext, or raise DecryptionError, whatever is wrong.
    #[pyo3(
        signature = (nonce, ciphertext, aad = NOTHING),
        text_signature = "($self, nonce, ciphertext, aad=b'')"
    )]
    fn decrypt<'py>(
        &self,
        py: Python<'py>,
        nonce: &[u8],
        ciphertext: &[u8],
        aad: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        operational()?;
        let size = ciphertext.len().saturating_sub(TAG_SIZE);
        PyBytes::new_with(py, size, |text| {
            work(py, (ciphertext.len() + aad.len()) * GCM_WORK, || {
                self.0.open(nonce, aad, ciphertext, text)
            })
            .map_err(gcm_failed)
        })
    }

    fn __repr__(&self) -> &'static str {
        "<crypto.sm4.Gcm>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a cipher is not pickled or copied"))
    }
}

/// Bytes of a nonce of `encrypt_each`.
const EACH_NONCE_SIZE: usize = 12;

/// Texts of one call.
const TEXTS_MAX: usize = 1 << 16;
const TABLE_BYTES_MAX: usize = 1 << 26;

/// Texts in columns and rows, column by column, and what the tags of each cover.
struct Table {
    texts: Vec<PyBackedBytes>,
    aads: Vec<PyBackedBytes>,
    tails: Vec<PyBackedBytes>,
}

impl Table {
    fn new(
        head: &[u8],
        texts: &Bound<'_, PyList>,
        aads: &Bound<'_, PyList>,
        tails: &Bound<'_, PyList>,
    ) -> PyResult<Self> {
        let count = texts.len();
        if count > TEXTS_MAX || aads.len().checked_mul(tails.len()) != Some(count) {
            return Err(table_shape());
        }
        let table = Self {
            texts: texts.extract()?,
            aads: aads.extract()?,
            tails: tails.extract()?,
        };
        let text_bytes: usize = table.texts.iter().map(|text| text.len()).sum();
        if head.len() * count + text_bytes > TABLE_BYTES_MAX {
            return Err(PyValueError::new_err("the texts have at most 64 MiB"));
        }
        Ok(table)
    }

    /// Does something with each text, what its tag covers, and so many bytes of `made`.
    fn each<T>(
        &self,
        sizes: &[usize],
        mut made: &mut [u8],
        more: impl Iterator<Item = T>,
        mut with: impl FnMut(&[u8], &[u8], &mut [u8], T) -> Result<(), GcmFailed>,
    ) -> Result<(), GcmFailed> {
        let mut covered = Vec::new();
        let places = self
            .aads
            .iter()
            .flat_map(|aad| self.tails.iter().map(move |tail| (aad, tail)));
        for (((text, size), (aad, tail)), more) in
            self.texts.iter().zip(sizes).zip(places).zip(more)
        {
            covered.clear();
            covered.extend_from_slice(aad);
            covered.extend_from_slice(tail);
            let (piece, rest) = made.split_at_mut(*size);
            made = rest;
            with(text, &covered, piece, more)?;
        }
        Ok(())
    }
}

fn table_shape() -> PyErr {
    PyValueError::new_err("at most 65536 texts, one for each aad and tail, and of each a nonce")
}

/// The bytes cut up into pieces of these sizes.
fn in_pieces<'py>(
    py: Python<'py>,
    sizes: &[usize],
    mut bytes: &[u8],
) -> PyResult<Bound<'py, PyList>> {
    PyList::new(
        py,
        sizes.iter().map(|size| {
            let (piece, rest) = bytes.split_at(*size);
            bytes = rest;
            PyBytes::new(py, piece)
        }),
    )
}

fn gcm_failed(error: GcmFailed) -> PyErr {
    match error {
        GcmFailed::NonceSize => PyValueError::new_err("a GCM nonce has 8 to 128 bytes"),
        GcmFailed::TextTooLong => PyValueError::new_err("a GCM text has at most 64 GiB"),
        GcmFailed::Tag => not_opened(),
    }
}

/// Encrypt one block of 16 bytes under a key of 16 (GB/T 32907), without a secret-indexed table.
///
/// Raises ValueError for other lengths.
#[pyfunction]
pub(crate) fn sm4_encrypt_block<'py>(
    py: Python<'py>,
    key: &[u8],
    block: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let output = sm4::encrypt_once(exact(key)?, exact(block)?);
    Ok(PyBytes::new(py, &output))
}

/// Decrypt one block of 16 bytes under a key of 16. Raises ValueError for other lengths.
#[pyfunction]
pub(crate) fn sm4_decrypt_block<'py>(
    py: Python<'py>,
    key: &[u8],
    block: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let output = Sm4::new(exact(key)?).decrypt_block(exact(block)?);
    Ok(PyBytes::new(py, &output))
}

/// Derive a key of 16 bytes from a master key of 16 and a factor of 8.
///
/// It is the factor and its complement, encrypted as one block under the master key. Raises
/// ValueError for other lengths.
#[pyfunction]
pub(crate) fn sm4_diversify<'py>(
    py: Python<'py>,
    master: &[u8],
    factor: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let factor = factor.try_into().map_err(|_| factor_size())?;
    Ok(PyBytes::new(py, &sm4::diversify(exact(master)?, factor)))
}

/// Derive a key from each of these for a factor, and encrypt it under a transport key.
///
/// masters: keys of 16 bytes behind each other, at most 16. Returns of each 19 bytes: the derived
/// key under the transport key, and the first 3 bytes of 16 zeros encrypted under it. The derived
/// keys are wiped. Raises ValueError for other lengths.
#[pyfunction]
pub(crate) fn sm4_wrap_diversified<'py>(
    py: Python<'py>,
    masters: &[u8],
    factor: &[u8],
    transport: &Cipher,
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let count = masters.len() / BLOCK_SIZE;
    if !masters.len().is_multiple_of(BLOCK_SIZE) || count > KEYS_MAX {
        return Err(PyValueError::new_err("at most 16 master keys of 16 bytes"));
    }
    let factor = factor.try_into().map_err(|_| factor_size())?;
    let mut wrapped = [[0; WRAPPED_SIZE]; KEYS_MAX];
    let wrapped = &mut wrapped[..count];
    sm4::wrap_diversified(masters, factor, &transport.0, wrapped);
    Ok(PyBytes::new(py, wrapped.as_flattened()))
}

/// Keys of one card.
const KEYS_MAX: usize = 16;

fn factor_size() -> PyErr {
    PyValueError::new_err("a diversification factor has 8 bytes")
}

/// Return the last block, 16 bytes, of a message's CBC encryption under a key and an iv of 16.
///
/// The message is padded by 80 and then by zeros up to whole blocks, also where it fills them.
/// Secure messaging of cards keeps the first 4 bytes, under an iv of 8 random bytes and 8 zeros.
/// Under one key and iv, MACs of messages of several lengths help to forge others. Raises
/// ValueError for other lengths of key or iv.
#[pyfunction]
pub(crate) fn sm4_cbc_mac<'py>(
    py: Python<'py>,
    key: &[u8],
    iv: &[u8],
    message: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    operational()?;
    let (key, iv) = (exact(key)?, exact(iv)?);
    let size = message.len().saturating_mul(MAC_WORK);
    let mac = work(py, size, || sm4::cbc_mac(key, iv, message));
    Ok(PyBytes::new(py, &mac))
}

fn exact(bytes: &[u8]) -> PyResult<&Block> {
    bytes
        .try_into()
        .map_err(|_| PyValueError::new_err("an SM4 key, block or iv has 16 bytes"))
}
