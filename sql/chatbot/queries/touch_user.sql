-- Every request of a signed-in user does this.
UPDATE chatbot.users SET last_seen_at = now() WHERE id = $1
