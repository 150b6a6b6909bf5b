//! From text to a checked scenario.

use super::Scenario;

/// `links.loss_permille=20`: one field set otherwise than the file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    path: Vec<String>,
    value: toml::Value,
    text: String,
}

/// Why a scenario cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, a field that is not known, or a value of the wrong kind.
    #[error("scenario {name}: {detail}")]
    Malformed {
        /// Which scenario.
        name: String,
        /// Where and why.
        detail: String,
    },
    /// A change does not read `FIELD=VALUE`, or the field does not take it.
    #[error("{change}: {detail}")]
    Change {
        /// As it was given.
        change: String,
        /// Why not.
        detail: String,
    },
    /// A value that makes no sense.
    #[error("{field} {rule}")]
    OutOfBounds {
        /// Which.
        field: String,
        /// What must hold of it.
        rule: String,
    },
}

impl ScenarioError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "scenario_malformed",
            Self::Change { .. } => "scenario_change",
            Self::OutOfBounds { .. } => "scenario_out_of_bounds",
        }
    }
}

impl Scenario {
    /// Reads a scenario, changes it, and checks it. `name` is what it was found under.
    ///
    /// # Errors
    /// [`ScenarioError`] names the field and says what holds of it.
    pub fn read(name: &str, text: &str, changes: &[Change]) -> Result<Self, ScenarioError> {
        let malformed = |error: toml::de::Error| ScenarioError::Malformed {
            name: name.to_owned(),
            detail: error.to_string().trim_end().to_owned(),
        };
        let mut scenario: Self = toml::from_str(text).map_err(malformed)?;
        let mut table: toml::Table = toml::from_str(text).map_err(malformed)?;
        for change in changes {
            change.apply(&mut table);
            scenario = table
                .clone()
                .try_into()
                .map_err(|error: toml::de::Error| change.refused(error.message().to_owned()))?;
        }
        name.clone_into(&mut scenario.name);
        scenario.check()?;
        Ok(scenario)
    }

    /// The whole scenario as a file, every field in it.
    pub fn to_toml(&self) -> String {
        // Its fields are numbers, words and tables of these: there is nothing that TOML cannot say.
        toml::to_string(self).unwrap_or_default()
    }
}

impl Change {
    /// Reads `FIELD=VALUE`. The value is written as in a file; quotes around a plain word may be left out.
    ///
    /// # Errors
    /// [`ScenarioError::Change`].
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let refused = |detail: &str| ScenarioError::Change {
            change: text.to_owned(),
            detail: detail.to_owned(),
        };
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| refused("write FIELD=VALUE, such as links.loss_permille=20"))?;
        let path: Vec<String> = path.split('.').map(|part| part.trim().to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(refused("write FIELD=VALUE, such as links.loss_permille=20"));
        }
        let value = value.trim();
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut table| table.remove("value"));
        let is_word = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        let value = match parsed {
            Some(value) => value,
            None if is_word => toml::Value::String(value.to_owned()),
            None => return Err(refused("the value is not TOML")),
        };
        Ok(Self {
            path,
            value,
            text: text.to_owned(),
        })
    }

    /// As it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tables on the way are made; what is no table is replaced, and then refused by its reader.
    fn apply(&self, table: &mut toml::Table) {
        let Some((last, way)) = self.path.split_last() else {
            return;
        };
        let mut at = table;
        for part in way {
            let next = at
                .entry(part.clone())
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if !next.is_table() {
                *next = toml::Value::Table(toml::Table::new());
            }
            let toml::Value::Table(inner) = next else {
                return;
            };
            at = inner;
        }
        at.insert(last.clone(), self.value.clone());
    }

    fn refused(&self, detail: String) -> ScenarioError {
        ScenarioError::Change {
            change: self.text.clone(),
            detail,
        }
    }
}
