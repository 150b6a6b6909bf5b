//! Reads plain JavaScript objects field by field.
//!
//! By hand, because what serde derives for this direction would be a quarter of the whole core: objects come in at a
//! few places only, and all of them are lists of named texts and numbers. What is wrong is noted beside ([`Wrong`]) and
//! reading goes on with a value that means nothing: to turn back at each of fifty fields would be more code than to read them.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use wasm_bindgen::{JsCast, JsValue};

use super::javascript::{List, is_array, keys, property};
use crate::content::from_base64url;

/// The field that is missing, or is not what it should be; `unknown` if there is one that should not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) &'static str);

/// The first fault in what is being read. Whatever has been read counts for nothing if there is one.
pub(super) type Wrong = Option<Unreadable>;

/// An object whose fields are being read.
pub(super) struct Fields<'a> {
    object: JsValue,
    unread: u32,
    wrong: &'a mut Wrong,
}

impl<'a> Fields<'a> {
    /// `name` is the object's own, for the error.
    pub(super) fn of(value: &JsValue, name: &'static str, wrong: &'a mut Wrong) -> Self {
        let mut fields = Self {
            object: value.clone(),
            unread: 0,
            wrong,
        };
        if value.is_object() && !is_array(value) {
            fields.unread = keys(value).length();
        } else {
            fields.fault(name);
        }
        fields
    }

    pub(super) fn fault(&mut self, name: &'static str) {
        fault(self.wrong, name);
    }

    /// The field, `undefined` if it is missing. Each is read once.
    fn value(&mut self, name: &'static str) -> JsValue {
        // What is no object has none, which is noted already.
        if !self.object.is_object() {
            return JsValue::UNDEFINED;
        }
        let value = property(&self.object, name);
        if !value.is_undefined() {
            self.unread = self.unread.saturating_sub(1);
        }
        value
    }

    /// The field if it is there and not null.
    fn given(&mut self, name: &'static str) -> Option<JsValue> {
        let value = self.value(name);
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    pub(super) fn text(&mut self, name: &'static str) -> String {
        text(&self.value(name), name, self.wrong)
    }

    /// A text that may be missing.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.given(name)?;
        Some(text(&value, name, self.wrong))
    }

    /// Exactly `N` bytes in base64url.
    pub(super) fn array<const N: usize>(&mut self, name: &'static str) -> [u8; N] {
        array(&self.value(name), name, self.wrong)
    }

    /// A text that is the form of something.
    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        parsed(&self.value(name), name, self.wrong)
    }

    /// The same, if it is there.
    pub(super) fn optional_parsed<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        let value = self.given(name)?;
        parsed(&value, name, self.wrong)
    }

    /// Which of a few words it is.
    pub(super) fn word(&mut self, name: &'static str, words: &[&str]) -> usize {
        let text = self.text(name);
        let found = words.iter().position(|word| *word == text);
        found.unwrap_or_else(|| {
            self.fault(name);
            0
        })
    }

    /// An unsigned integer that `T` can hold.
    pub(super) fn number<T: TryFrom<u64> + Default>(&mut self, name: &'static str) -> T {
        let whole = whole(&self.value(name), name, self.wrong);
        self.within(whole, name)
    }

    /// The same, if it is there.
    pub(super) fn optional_number<T: TryFrom<u64> + Default>(&mut self, name: &'static str) -> Option<T> {
        let value = self.given(name)?;
        let whole = whole(&value, name, self.wrong);
        Some(self.within(whole, name))
    }

    fn within<T: TryFrom<u64> + Default>(&mut self, whole: u64, name: &'static str) -> T {
        T::try_from(whole).unwrap_or_else(|_| {
            self.fault(name);
            T::default()
        })
    }

    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        self.value(name).as_bool().unwrap_or_else(|| {
            self.fault(name);
            false
        })
    }

    /// An object in a field.
    pub(super) fn within_object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&JsValue, &mut Wrong) -> T,
    ) -> T {
        read(&self.value(name), self.wrong)
    }

    /// An object that may be missing.
    pub(super) fn optional_object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&JsValue, &mut Wrong) -> T,
    ) -> Option<T> {
        let value = self.given(name)?;
        Some(read(&value, self.wrong))
    }

    /// A list, each item read by `read`, `None` if that is not possible; there may be `most` of them.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        most: u32,
        read: impl Fn(&JsValue, &mut Wrong) -> Option<T>,
    ) -> Vec<T> {
        list(&self.value(name), name, most, self.wrong, read)
    }

    /// A list that may be missing, which is an empty one.
    pub(super) fn optional_list<T>(
        &mut self,
        name: &'static str,
        most: u32,
        read: impl Fn(&JsValue, &mut Wrong) -> Option<T>,
    ) -> Vec<T> {
        self.given(name)
            .map(|value| list(&value, name, most, self.wrong, read))
            .unwrap_or_default()
    }

    /// There was nothing else in the object.
    pub(super) fn end(mut self) {
        if self.unread != 0 {
            self.fault("unknown");
        }
    }
}

/// Only the first is kept.
fn fault(wrong: &mut Wrong, name: &'static str) {
    wrong.get_or_insert(Unreadable(name));
}

fn list<T>(
    value: &JsValue,
    name: &'static str,
    most: u32,
    wrong: &mut Wrong,
    read: impl Fn(&JsValue, &mut Wrong) -> Option<T>,
) -> Vec<T> {
    let mut items = Vec::new();
    let array: &List = value.unchecked_ref();
    if is_array(value) && array.length() <= most {
        for index in 0..array.length() {
            items.extend(read(&array.get(index), wrong));
        }
    } else {
        fault(wrong, name);
    }
    items
}

pub(super) fn text(value: &JsValue, name: &'static str, wrong: &mut Wrong) -> String {
    value.as_string().unwrap_or_else(|| {
        fault(wrong, name);
        String::new()
    })
}

pub(super) fn array<const N: usize>(value: &JsValue, name: &'static str, wrong: &mut Wrong) -> [u8; N] {
    from_base64url(&text(value, name, wrong)).unwrap_or_else(|_| {
        fault(wrong, name);
        [0; N]
    })
}

pub(super) fn parsed<T: FromStr>(value: &JsValue, name: &'static str, wrong: &mut Wrong) -> Option<T> {
    let parsed = text(value, name, wrong).parse().ok();
    if parsed.is_none() {
        fault(wrong, name);
    }
    parsed
}

fn whole(value: &JsValue, name: &'static str, wrong: &mut Wrong) -> u64 {
    let number = value.as_f64().unwrap_or(-1.0);
    let whole = number as u64;
    if whole as f64 != number || number > MAX_SAFE_INTEGER {
        fault(wrong, name);
    }
    whole
}

/// Beyond it JavaScript's numbers are no integers any more.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
