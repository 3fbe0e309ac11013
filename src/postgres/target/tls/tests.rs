use super::*;

/// A home directory of a test's own; gone with it.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("rowcast-home-{:016x}", fastrand::u64(..)));
        std::fs::create_dir_all(directory.join(".postgresql")).unwrap();
        Self(directory)
    }

    /// Writes a file that libpq looks for; its path.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(".postgresql").join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn tls(&self, parameters: &str) -> Result<Tls, Error> {
        let (parameters, _) = Parameters::take(&format!("host=h {parameters}"), |_| None).unwrap();
        Tls::new(&parameters, Some(&self.0))
    }

    fn refusal(&self, parameters: &str) -> String {
        self.tls(parameters).expect_err("it was accepted").to_string()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // It is in the system's directory for what may be left.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn modes_are_libpqs() {
    let home = Home::new();
    let mode = |parameters: &str| home.tls(parameters).unwrap().mode;
    assert_eq!(mode(""), Mode::Prefer);
    assert_eq!(
        ["disable", "allow", "require"].map(|name| mode(&format!("sslmode={name}"))),
        [Mode::Disable, Mode::Allow, Mode::Require]
    );
    assert_eq!(mode("sslrootcert=system"), Mode::VerifyFull);
    assert!(matches!(home.tls("sslrootcert=system sslmode=verify-full").unwrap().trust, Trust::System(_)));
    for wrong in ["verify_full", "VERIFY-FULL", "''", "no-verify"] {
        assert!(home.refusal(&format!("sslmode={wrong}")).starts_with("sslmode has to be disable, allow, "), "{wrong}");
    }
    assert!(home.refusal("channel_binding=yes").starts_with("channel_binding has to be "));
    assert!(home.refusal("sslnegotiation=tls").starts_with("sslnegotiation has to be "));
}

#[test]
fn what_would_be_weaker_than_it_looks_is_refused() {
    let home = Home::new();
    assert!(home.refusal("sslmode=verify-ca sslrootcert=system").contains("takes sslmode=verify-full"));
    assert!(home.refusal("sslmode=prefer sslnegotiation=direct").contains("takes sslmode=require"));
    for mode in ["verify-ca", "verify-full"] {
        assert!(home.refusal(&format!("sslmode={mode}")).contains("sslrootcert=system if a public CA"), "{mode}");
    }
}

/// Where a root certificate is at hand it is used in every mode, as in libpq; a file that was named has to be there.
#[test]
fn root_certificates_are_looked_for_at_home() {
    let home = Home::new();
    assert!(matches!(home.tls("sslmode=require").unwrap().trust, Trust::Nothing));
    let path = home.write("root.crt", &certificate().0);
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        let tls = home.tls(&format!("sslmode={mode}")).unwrap();
        assert!(matches!(&tls.trust, Trust::File(file) if file.path == path), "{mode}: {tls:?}");
    }
    let said = home.refusal("sslmode=require sslrootcert=/nowhere/ca.pem");
    assert!(said.starts_with("sslrootcert: /nowhere/ca.pem cannot be read: No such file"), "{said}");
    assert!(home.tls("sslmode=disable sslrootcert=/nowhere/ca.pem").is_ok(), "nobody needs it");
    for unusable in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        home.write("root.crt", unusable);
        let said = home.refusal("sslmode=require");
        assert!(said.starts_with(&format!("sslrootcert: {} holds no certificate", path.display())), "{said}");
    }
}

#[test]
fn a_client_certificate_and_its_key_go_together() {
    let home = Home::new();
    let ((certificate, key), (_, other)) = (certificate(), certificate());
    let path = home.write("postgresql.crt", &certificate);
    assert!(home.refusal("sslmode=require").contains("give its file in sslkey"));
    home.write("postgresql.key", &key);
    assert_eq!(home.tls("").unwrap().identity.unwrap().0.path, path);
    home.write("postgresql.key", &other);
    assert!(home.refusal("").contains("cannot be used together"));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for unusable in ["", encrypted] {
        home.write("postgresql.key", unusable);
        let said = home.refusal("");
        assert!(
            said.contains("postgresql.key holds no private key") && said.contains("must not be encrypted"),
            "{said}"
        );
    }
}
