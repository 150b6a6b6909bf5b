use super::*;

#[test]
fn the_documented_file_is_the_default() {
    let documented: Config = toml::from_str(DEFAULT_TOML).unwrap();
    assert_eq!(documented, Config::default());
    documented.validate().unwrap();
}

#[test]
fn every_field_is_documented() {
    let full = Config {
        metrics_listen: Some(SocketAddr::from(([127, 0, 0, 1], 8401))),
        origin: OriginConfig {
            access_log: Some(PathBuf::from("access.log")),
            ..OriginConfig::default()
        },
        ..Config::default()
    };
    let toml::Value::Table(sections) = toml::Value::try_from(&full).unwrap() else {
        panic!("not a table");
    };
    let is_documented = |name: &str| {
        DEFAULT_TOML.lines().any(|line| {
            line.trim_start_matches("# ")
                .split('=')
                .next()
                .is_some_and(|key| key.trim() == name)
        })
    };
    for (name, value) in &sections {
        match value {
            toml::Value::Table(fields) => {
                assert!(DEFAULT_TOML.contains(&format!("\n[{name}]\n")), "[{name}]");
                for (field, value) in fields {
                    if name == "tracker" && field == "challenge" {
                        assert!(DEFAULT_TOML.contains("\n[tracker.challenge]\n"));
                        let nested = value.as_table().unwrap();
                        assert!(nested.keys().all(|field| is_documented(field)), "{nested:?}");
                    } else {
                        assert!(is_documented(field), "{name}.{field}");
                    }
                }
            }
            _ => assert!(is_documented(name), "{name}"),
        }
    }
}

#[test]
fn the_manual_shows_the_documented_file() {
    let manual = include_str!("../../../docs/OPERATE.md");
    assert!(
        manual.contains(DEFAULT_TOML),
        "docs/OPERATE.md shows another default configuration"
    );
}

fn read(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("swarmseal.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(&path)
}

#[test]
fn a_mistake_names_its_field() {
    for (text, code, word) in [
        ("listne = \"127.0.0.1:1\"", "config_malformed", "listne"),
        ("[tracker]\nticket = 5", "config_malformed", "ticket"),
        (
            "[tracker]\nticket_s = 5",
            "config_out_of_bounds",
            "tracker.ticket_s",
        ),
        (
            "[tracker]\nlist_size = 31",
            "config_out_of_bounds",
            "tracker.list_size",
        ),
        (
            "[tracker]\nrandom_share_percent = 0",
            "config_out_of_bounds",
            "tracker.random_share_percent",
        ),
        (
            "[tracker]\nlists = { burst = 0, per_minute = 1 }",
            "config_out_of_bounds",
            "tracker.lists",
        ),
        (
            "[tracker.challenge]\npicks = 9",
            "config_out_of_bounds",
            "tracker.challenge.picks",
        ),
        (
            "[socket]\nmax_message_bytes = 1000000",
            "config_out_of_bounds",
            "socket.max_message_bytes",
        ),
        (
            "allowed_origins = [\"https://a.example/path\"]",
            "config_out_of_bounds",
            "allowed_origins",
        ),
        (
            "trusted_proxies = [\"10.0.0.0/99\"]",
            "config_malformed",
            "trusted_proxies",
        ),
        (
            "[contents]\npublishers = [\"ed25519:AAAA\"]",
            "config_malformed",
            "publishers",
        ),
        ("[log]\nlevel = \"loud\"", "config_malformed", "level"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        assert!(error.to_string().contains(word), "{text}: {error}");
    }
    assert_eq!(
        Config::read(Path::new("/no/such/file")).unwrap_err().code(),
        "config_unreadable"
    );
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let config = read(
        "key = \"keys/tracker.key\"\n[contents]\nmanifests = [\"shows\", \"/srv/a.seal\", \"https://cdn.example/c.seal\"]\n\
         [origin]\nmounts = [\"shows\", \"/page=www\"]\n",
    )
    .unwrap();
    assert!(config.key.is_absolute() && config.key.ends_with("keys/tracker.key"));
    let [relative, absolute, url] = &config.contents.manifests[..] else {
        panic!()
    };
    assert!(Path::new(relative).is_absolute());
    assert_eq!(
        (absolute.as_str(), url.as_str()),
        ("/srv/a.seal", "https://cdn.example/c.seal")
    );
    assert!(config.origin.mounts[0].starts_with("/=/") && config.origin.mounts[1].starts_with("/page=/"));
}

#[test]
fn a_turn_server_needs_a_secret_and_relay_needs_a_turn_server() {
    let field = |text: &str| match read(text) {
        Err(ConfigError::OutOfBounds { field }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field("[tracker]\nexposure = \"relay\"\n"), "tracker.exposure");
    assert_eq!(field("[turn]\nurls = [\"turn:a\"]\n"), "turn.secret");
    assert_eq!(
        field("[turn]\nurls = [\"stun:a\"]\nsecret = \"s\"\n"),
        "turn.urls"
    );
    assert_eq!(field("[turn]\ncredential_s = 599\n"), "turn.credential_s");
    let config =
        read("[tracker]\nexposure = \"relay\"\n[turn]\nurls = [\"turn:a\"]\nsecret = \"north\"\n").unwrap();
    assert!(!format!("{config:?}").contains("north"));
    let server = config.turn.server().unwrap();
    assert_eq!((server.secret.as_str(), server.ttl_s), ("north", 1_200));
}
