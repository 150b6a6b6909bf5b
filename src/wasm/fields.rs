//! Reads plain JavaScript objects field by field.
//!
//! By hand, because what serde derives for this direction would be a quarter of the whole core: objects come in at a
//! few places only, and all of them are lists of named texts and numbers.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The field that is missing, or is not what it should be; `unknown` if there is one that should not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) &'static str);

/// An object whose fields are being read.
pub(super) struct Fields {
    object: Object,
    unread: u32,
}

impl Fields {
    /// `name` is the object's own, for the error.
    pub(super) fn of(value: &JsValue, name: &'static str) -> Result<Self, Unreadable> {
        let object = value.dyn_ref::<Object>().ok_or(Unreadable(name))?.clone();
        if Array::is_array(value) {
            return Err(Unreadable(name));
        }
        let unread = Object::keys(&object).length();
        Ok(Self { object, unread })
    }

    /// The field, `undefined` if it is missing. Each is read once.
    pub(super) fn value(&mut self, name: &'static str) -> JsValue {
        // Only a proxy or a getter could refuse, and neither comes from JSON or a message.
        let value = Reflect::get(&self.object, &name.into()).unwrap_or(JsValue::UNDEFINED);
        if !value.is_undefined() {
            self.unread = self.unread.saturating_sub(1);
        }
        value
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<String, Unreadable> {
        self.value(name).as_string().ok_or(Unreadable(name))
    }

    /// A text that is the form of something.
    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str) -> Result<T, Unreadable> {
        parsed(&self.value(name), name)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Result<T, Unreadable> {
        let text = self.text(name)?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or(Unreadable(name))
    }

    /// An unsigned integer that `T` can hold.
    pub(super) fn number<T: TryFrom<u64>>(&mut self, name: &'static str) -> Result<T, Unreadable> {
        number(&self.value(name), name)
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, Unreadable> {
        self.value(name).as_bool().ok_or(Unreadable(name))
    }

    /// A list, each item read by `read`; there may be `most` of them.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        most: u32,
        read: impl Fn(&JsValue) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Unreadable> {
        list(&self.value(name), name, most, read)
    }

    /// A list that may be missing, which is an empty one.
    pub(super) fn optional_list<T>(
        &mut self,
        name: &'static str,
        most: u32,
        read: impl Fn(&JsValue) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Unreadable> {
        let items = self.optional(name, |value| list(value, name, most, read))?;
        Ok(items.unwrap_or_default())
    }

    /// The field if it is there and not null.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&JsValue) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        let value = self.value(name);
        if value.is_undefined() || value.is_null() {
            Ok(None)
        } else {
            read(&value).map(Some)
        }
    }

    /// There was nothing else in the object.
    pub(super) fn end(self) -> Result<(), Unreadable> {
        if self.unread == 0 {
            Ok(())
        } else {
            Err(Unreadable("unknown"))
        }
    }
}

fn list<T>(
    value: &JsValue,
    name: &'static str,
    most: u32,
    read: impl Fn(&JsValue) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Unreadable> {
    let array: &Array = value.dyn_ref().ok_or(Unreadable(name))?;
    if array.length() > most {
        return Err(Unreadable(name));
    }
    array.iter().map(|item| read(&item)).collect()
}

pub(super) fn parsed<T: FromStr>(value: &JsValue, name: &'static str) -> Result<T, Unreadable> {
    value
        .as_string()
        .and_then(|text| text.parse().ok())
        .ok_or(Unreadable(name))
}

pub(super) fn number<T: TryFrom<u64>>(value: &JsValue, name: &'static str) -> Result<T, Unreadable> {
    let number = value.as_f64().ok_or(Unreadable(name))?;
    let whole = number as u64;
    if whole as f64 != number || number > MAX_SAFE_INTEGER {
        return Err(Unreadable(name));
    }
    T::try_from(whole).map_err(|_| Unreadable(name))
}

/// Beyond it JavaScript's numbers are no integers any more.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
