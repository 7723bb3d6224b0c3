use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyList};
use sscard_sm::sm4::{self, BLOCK_SIZE, Block, GcmFailed, Sm4, TAG_SIZE, WRAPPED_SIZE};

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

    /// Encrypt several texts: of each `head`, its own 12 bytes of `nonces`, ciphertext and tag.
    ///
    /// aads: what each tag covers, with `tail` behind. Raises ValueError for more than 64 texts,
    /// and for other numbers of nonces or aads.
    fn encrypt_each<'py>(
        &self,
        py: Python<'py>,
        head: &[u8],
        nonces: &[u8],
        plaintexts: &Bound<'py, PyList>,
        aads: &Bound<'py, PyList>,
        tail: &[u8],
    ) -> PyResult<Bound<'py, PyList>> {
        operational()?;
        let nonces = nonces.chunks_exact(EACH_NONCE_SIZE);
        let (texts, aads) = several(nonces.len(), plaintexts, aads)?;
        let sealed: PyResult<Vec<_>> = texts
            .iter()
            .zip(aads)
            .zip(nonces)
            .map(|((text, aad), nonce)| {
                let start = head.len() + nonce.len();
                PyBytes::new_with(py, start + text.len() + TAG_SIZE, |whole| {
                    whole[..head.len()].copy_from_slice(head);
                    whole[head.len()..start].copy_from_slice(nonce);
                    let aad = [&*aad, tail].concat();
                    self.0
                        .seal(nonce, &aad, text, &mut whole[start..])
                        .map_err(gcm_failed)
                })
            })
            .collect();
        PyList::new(py, sealed?)
    }

    /// The inverse of `encrypt_each`. Raises DecryptionError, whatever is wrong and wherever, and
    /// ValueError for more than 64 texts and another number of aads.
    fn decrypt_each<'py>(
        &self,
        py: Python<'py>,
        head: &[u8],
        sealed: &Bound<'py, PyList>,
        aads: &Bound<'py, PyList>,
        tail: &[u8],
    ) -> PyResult<Bound<'py, PyList>> {
        operational()?;
        let (texts, aads) = several(sealed.len(), sealed, aads)?;
        let opened: PyResult<Vec<_>> = texts
            .iter()
            .zip(aads)
            .map(|(whole, aad)| {
                let (nonce, ciphertext) = whole
                    .strip_prefix(head)
                    .and_then(|rest| rest.split_first_chunk::<EACH_NONCE_SIZE>())
                    .ok_or_else(not_opened)?;
                let size = ciphertext.len().saturating_sub(TAG_SIZE);
                PyBytes::new_with(py, size, |text| {
                    let aad = [&*aad, tail].concat();
                    self.0
                        .open(nonce, &aad, ciphertext, text)
                        .map_err(gcm_failed)
                })
            })
            .collect();
        PyList::new(py, opened?)
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

/// Texts of one call: it keeps the interpreter's lock.
const TEXTS_MAX: usize = 64;

type Several = Vec<PyBackedBytes>;

/// So many texts, and as many aads.
fn several(
    count: usize,
    texts: &Bound<'_, PyList>,
    aads: &Bound<'_, PyList>,
) -> PyResult<(Several, Several)> {
    if count > TEXTS_MAX || texts.len() != count || aads.len() != count {
        return Err(PyValueError::new_err(
            "at most 64 texts, and of each one nonce and one aad",
        ));
    }
    Ok((texts.extract()?, aads.extract()?))
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
    if masters.len() % BLOCK_SIZE != 0 || count > KEYS_MAX {
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
