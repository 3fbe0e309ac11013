//! Messages: who speaks, whose they are, and how long an answer took.

use serde_json::{Value, json};

use super::Stage;

const CONVERSATIONS: &str = "
    CREATE TABLE chatbot_instances (id text PRIMARY KEY, organization_id text);
    CREATE TABLE conversation_sessions (id uuid PRIMARY KEY, chatbot_id text REFERENCES chatbot_instances);
    CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, session_id uuid REFERENCES conversation_sessions,
        role text, content text, status text DEFAULT 'completed', created_at timestamptz);
    INSERT INTO chatbot_instances VALUES ('bot_a', 'o1'), ('bot_b', 'o2');
    INSERT INTO conversation_sessions VALUES ('00000000-0000-0000-0000-00000000000a', 'bot_a'), ('00000000-0000-0000-0000-00000000000b', 'bot_b')";

/// An INSERT of one message in the session that ends with this letter.
fn message(session: char, role: &str, at: &str) -> String {
    format!(
        "INSERT INTO messages (session_id, role, content, created_at)
         VALUES ('00000000-0000-0000-0000-00000000000{session}', '{role}', 'text', '2026-03-01 {at}Z');"
    )
}

#[tokio::test]
async fn a_message_belongs_to_the_organization_of_its_chatbot() {
    let stage = Stage::new(CONVERSATIONS).await;
    assert_eq!(stage.attach("chatbot", &json!({})).await, ["app.messages conversation_activity"]);
    stage.write(&(message('a', "user", "10:00:00") + &message('b', "user", "10:00:00"))).await;
    let events = stage.events().await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.audience.as_str(), event.chatbot.as_deref().unwrap(), event.session.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("o1", "bot_a", "00000000-0000-0000-0000-00000000000a"),
            ("o2", "bot_b", "00000000-0000-0000-0000-00000000000b")
        ]
    );
    assert_eq!(
        events[0].data,
        json!({"messageId": "1", "messageType": "user_message", "content": "text", "status": "completed"})
    );
}

#[tokio::test]
async fn an_organization_is_found_where_it_is() {
    for (tables, row) in [
        ("CREATE TABLE messages (id int PRIMARY KEY, organization_id text, session_id int, role text)", "1, 'o1', 7, 'user'"),
        (
            "CREATE TABLE conversations (id int PRIMARY KEY, organization_id text); INSERT INTO conversations VALUES (7, 'o1');
             CREATE TABLE messages (id int PRIMARY KEY, conversation_id int, role text)",
            "1, 7, 'user'",
        ),
        (
            "CREATE TABLE chatbots (id int PRIMARY KEY, organization_id text); INSERT INTO chatbots VALUES (3, 'o1');
             CREATE TABLE messages (id int PRIMARY KEY, chatbot_id int, role text)",
            "1, 3, 'user'",
        ),
    ] {
        let stage = Stage::new(tables).await;
        stage.attach("chatbot", &json!({})).await;
        stage.write(&format!("INSERT INTO messages VALUES ({row})")).await;
        let [event] = &stage.events().await[..] else { panic!("one row, one event") };
        assert_eq!(event.audience, "o1", "{tables}");
        assert_eq!(event.data, json!({"messageId": "1", "messageType": "user_message", "status": "completed"}));
    }
}

#[tokio::test]
async fn the_time_of_an_answer_is_since_the_last_question_in_its_conversation() {
    let stage = Stage::new(CONVERSATIONS).await;
    stage.attach("chatbot", &json!({})).await;
    let told = [
        (message('a', "bot", "09:59:59"), None),
        (message('a', "user", "10:00:00"), None),
        (message('b', "user", "10:00:01"), None),
        (message('a', "user", "10:00:02"), None),
        // Interleaved: the question of the one conversation is not that of the other.
        (message('b', "bot", "10:00:04"), Some(3_000)),
        (message('a', "bot", "10:00:04.250"), Some(2_250)),
        (message('a', "system", "10:00:05"), None),
        (message('b', "user", "10:00:06"), None),
        (message('b', "assistant", "10:00:06"), Some(0)),
        // A question that comes later is not what this answers.
        (message('a', "user", "10:00:30"), None),
        (message('a', "bot", "10:00:20"), Some(18_000)),
    ];
    for (insert, expected) in told {
        stage.write(&insert).await;
        let data = stage.only().await;
        assert_eq!(data["responseTime"].as_i64(), expected, "{insert}");
    }
}

#[tokio::test]
async fn question_and_answer_in_one_statement_find_each_other() {
    let stage = Stage::new(CONVERSATIONS).await;
    stage.attach("chatbot", &json!({})).await;
    stage
        .write(
            "INSERT INTO messages (session_id, role, created_at)
             SELECT '00000000-0000-0000-0000-00000000000a', role, at::timestamptz
             FROM (VALUES ('user', '2026-03-01 10:00:00Z'), ('bot', '2026-03-01 10:00:01.5Z')) v (role, at)",
        )
        .await;
    assert_eq!(stage.told("responseTime").await, [Value::Null, json!(1500)]);
}

#[tokio::test]
async fn an_answer_that_is_being_written_has_no_time_yet() {
    let stage = Stage::new(
        "CREATE TABLE messages (id int PRIMARY KEY, organization_id text, session_id int, role text, status text,
            created_at timestamp, completed_at timestamp)",
    )
    .await;
    stage.attach("chatbot", &json!({})).await;
    stage
        .write(
            "INSERT INTO messages VALUES (1, 'o1', 7, 'user', 'sent', '2026-03-01 10:00:00', '2026-03-01 10:00:00');
             INSERT INTO messages VALUES (2, 'o1', 7, 'bot', 'generating', '2026-03-01 10:00:01', NULL);
             UPDATE messages SET status = 'completed', completed_at = '2026-03-01 10:00:05' WHERE id = 2",
        )
        .await;
    assert_eq!(stage.told("responseTime").await, [Value::Null, Value::Null, json!(5000)]);
}

#[tokio::test]
async fn a_row_that_knows_its_time_is_believed() {
    let stage =
        Stage::new(&CONVERSATIONS.replace("role text,", "role text, response_time_ms int, error_message text,")).await;
    stage.attach("chatbot", &json!({})).await;
    stage.write(&message('a', "user", "10:00:00")).await;
    stage
        .write(
            &message('a', "bot", "10:00:09")
                .replace("(session_id", "(response_time_ms, session_id")
                .replace("('0", "(777, '0"),
        )
        .await;
    stage.write("UPDATE messages SET status = 'Failed', error_message = 'no answer' WHERE id = 2").await;
    let events = stage.events().await;
    let told: Vec<_> =
        events.iter().map(|event| (event.data["responseTime"].as_i64(), event.priority.as_str())).collect();
    assert_eq!(told, [(None, "low"), (Some(777), "low"), (Some(777), "high")]);
    assert_eq!(events[2].data["error"], "no answer");
}

#[tokio::test]
async fn whoever_speaks_is_one_of_three() {
    let stage = Stage::new(CONVERSATIONS).await;
    stage.attach("chatbot", &json!({"messages.role_words": {"Concierge": "bot_response"}})).await;
    for (expected, words) in [
        ("user_message", "user User human visitor customer client guest user_message"),
        ("bot_response", "bot assistant ASSISTANT ai agent model chatbot bot_response concierge"),
        ("system_message", "system tool function developer system_message somebody"),
    ] {
        for word in words.split(' ') {
            stage.write(&message('a', word, "10:00:00")).await;
            assert_eq!(stage.only().await["messageType"], expected, "{word}");
        }
    }
}
