//! What the bridge asks of JavaScript itself.
//!
//! By hand, because `js-sys` brings what drives futures into every module that it is linked to, used or not.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// `object[name]`. Only of an object, and of one that came as JSON or in a message: such have no getters that could throw.
    #[wasm_bindgen(js_namespace = Reflect, js_name = get)]
    pub(super) fn property(object: &JsValue, name: &str) -> JsValue;

    #[wasm_bindgen(js_namespace = Array, js_name = isArray)]
    pub(super) fn is_array(value: &JsValue) -> bool;

    /// The names of an object's own properties.
    #[wasm_bindgen(js_namespace = Object)]
    pub(super) fn keys(object: &JsValue) -> List;

    /// An array.
    pub(super) type List;

    #[wasm_bindgen(method, getter, structural)]
    pub(super) fn length(this: &List) -> u32;

    #[wasm_bindgen(method, indexing_getter, structural)]
    pub(super) fn get(this: &List, index: u32) -> JsValue;

    pub(super) type Error;

    #[wasm_bindgen(constructor)]
    pub(super) fn new(message: &str) -> Error;

    #[wasm_bindgen(method, setter, structural)]
    pub(super) fn set_code(this: &Error, code: &str);
}
