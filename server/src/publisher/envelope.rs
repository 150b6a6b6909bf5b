//! A sealed manifest opened without checking its signature: for showing, never for believing.

use minicbor::Decoder;
use minicbor::decode::Error;
use swarmseal::content::PublicKey;

/// What lies in the envelope.
pub struct Unverified<'a> {
    /// The manifest as CBOR.
    pub payload: &'a [u8],
    /// Identifier of the key that is said to have signed.
    pub key_id: [u8; PublicKey::ID_LEN],
}

/// Opens a COSE_Sign1 object (RFC 9052 §4.2) with the headers that `swarmseal` writes.
pub fn open(sealed: &[u8]) -> Result<Unverified<'_>, Error> {
    let mut decoder = Decoder::new(sealed);
    decoder.tag()?;
    expect(decoder.array()?, 4)?;
    let protected = decoder.bytes()?;
    expect(decoder.map()?, 0)?;
    let payload = decoder.bytes()?;
    let mut protected = Decoder::new(protected);
    expect(protected.map()?, 2)?;
    for _ in 0..3 {
        // Label and value of the algorithm, label of the key id.
        protected.skip()?;
    }
    let key_id = protected
        .bytes()?
        .try_into()
        .map_err(|_| Error::message("the key id has another length"))?;
    Ok(Unverified { payload, key_id })
}

fn expect(found: Option<u64>, wanted: u64) -> Result<(), Error> {
    if found == Some(wanted) {
        Ok(())
    } else {
        Err(Error::message("this is no signed manifest"))
    }
}
