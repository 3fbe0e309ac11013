//! Settings that cannot be used are refused at the start, and not repeated.

use crate::harness::{SECRET, refused};

#[tokio::test]
async fn what_cannot_be_used_is_refused() {
    let url = ("ROWCAST_HEALTH_LLM_URL", "http://127.0.0.1:1/");
    for (settings, says) in [
        (&[("ROWCAST_HEALTH_LLM_URL", "hunter2")][..], "ROWCAST_HEALTH_LLM_URL is no URL"),
        (&[("ROWCAST_HEALTH_LLM_URL", "ftp://hunter2/")], "ROWCAST_HEALTH_LLM_URL is no URL"),
        (&[("ROWCAST_HEALTH_VECTOR_URL", "http://#hunter2")], "ROWCAST_HEALTH_VECTOR_URL is no URL"),
        (&[url, ("ROWCAST_HEALTH_LLM_METHOD", "GE T")], "ROWCAST_HEALTH_LLM_URL: the method is none of HTTP"),
        (
            &[url, ("ROWCAST_HEALTH_LLM_HEADERS", "Authorization=Bearer sk-hunter2")],
            "ROWCAST_HEALTH_LLM_HEADERS: header 1",
        ),
        (&[url, ("ROWCAST_HEALTH_LLM_HEADERS", "x-key=HUNTER2_MISSING")], "that there is not"),
        (&[url, ("ROWCAST_HEALTH_LLM_BEDROCK", "a")], "cannot be used with"),
        (
            &[("ROWCAST_HEALTH_VECTOR_URL", "http://hunter2/"), ("ROWCAST_HEALTH_VECTOR_QUERY", "TABLE hunter2")],
            "cannot be used with",
        ),
        (&[("ROWCAST_HEALTH_INTERVAL", "15")], "expected a duration"),
    ] {
        let said = refused(&[settings, &[("ROWCAST_JWT_SECRET", SECRET)]].concat()).await;
        assert!(said.contains(says) && !said.to_lowercase().contains("hunter2"), "{settings:?}: {said}");
    }
}

#[cfg(not(feature = "bedrock"))]
#[tokio::test]
async fn without_the_feature_bedrock_is_refused() {
    let said =
        refused(&[("ROWCAST_JWT_SECRET", SECRET), ("ROWCAST_HEALTH_LLM_BEDROCK", "amazon.nova-micro-v1:0")]).await;
    assert!(said.contains("was built without AWS: build it with --features bedrock"), "{said}");
}
