-- More that looks secret, and less that only sounds like it: counted tokens are no tokens.
--
-- What a DBA has changed or taken away stays so: a pattern of ours is replaced only where it still is as we wrote it, and new ones are new rows.
UPDATE rowcast.secret_patterns AS p
SET pattern = better.pattern, description = better.description
FROM (VALUES
    ('(^|_)(password|passwd|pwd|passphrase|passcode)(_|$)',
     '(^|_)(passwords?|passwd|pwd|passphrase|passcode)(_|$)',
     'passwords and their hashes'),
    ('(^|_)(tokens?|token_(hash|digest))$',
     '(^|_)token(_(hash|digest|value))?$',
     'access and reset tokens; not token_count or tokens, which language models are paid by'),
    ('(^|_)(credentials?|salt|otp|totp|recovery_codes?)(_|$)',
     '(^|_)(credentials?|creds|salt|otp|totp|recovery_codes?|backup_codes?)(_|$)',
     'what logs somebody in')
) AS better (former, pattern, description)
WHERE p.pattern = better.former
  AND NOT EXISTS (SELECT FROM rowcast.secret_patterns AS o WHERE o.pattern = better.pattern);

INSERT INTO rowcast.secret_patterns (pattern, description) VALUES
    ('(access|refresh|auth|api|session|bearer)_?tokens?$',       'tokens that are no count, whatever stands before'),
    ('(^|_)authorization(_header)?$',                            'the header that logs somebody in; not authorized_at, not author'),
    ('^auth$',                                                   'what HTTP clients call a name and a password'),
    ('(^|_)cookies?(_header)?$',                                 'Cookie and Set-Cookie; not cookie_consent'),
    ('(^|_)(session_key|phpsessid|jsessionid|connect_sid)$',     'what web servers know a session by; not session_id, which events carry'),
    ('(^|_)(jwt|bearer)(_|$)',                                   'tokens by other names'),
    ('(^|_)(saml_response|code_verifier|magic_link)$',           'what stands for a login'),
    ('(^|_)(csrf|xsrf)(_|$)',                                    'what proves that a form is ours'),
    ('(^|_)(pem|pfx|keystore)$',                                 'files with keys in them'),
    ('(^|_)(ssh|pgp|hmac|master|shared)_?keys?$',                'more keys; not public_key, primary_key or idempotency_key'),
    ('(^|_)(dsn|conn(ection)?_?str(ing)?)$',                     'addresses with a password in them'),
    ('(^|_)(database|db|postgres|mysql|redis|mongo|mongodb|amqp|jdbc)_?(url|uri)$', 'the same'),
    ('(^|_)(db|smtp|user|admin)_?pass$',                         'passwords, abbreviated'),
    ('(^|_)(pass|pw)_?hash$',                                    'their hashes'),
    ('^pan$',                                                    'the number of a card, in the words of those who issue it'),
    ('(^|_)(card_?no|card_?num|card_?number|security_code)$',    'cards; not their last four digits'),
    ('(^|_)(bank_account|account_number|social_security|social_security_number|passport_number)$', 'what pays or identifies')
ON CONFLICT (pattern) DO NOTHING;

COMMENT ON TABLE rowcast.secret_patterns IS
    'What is never sent with a whole row: regular expressions for the names of columns, and of keys in json and composite columns, in snake case, any case.';
