-- A chatbot management app: organizations upload documents about their products, chatbots answer visitors from them.
-- Written as its team would have, years before anybody thought of streaming: nothing in here knows rowcast.
CREATE SCHEMA chatbot;

CREATE TABLE chatbot.organizations (
    id         text        PRIMARY KEY CHECK (id ~ '^org_[a-z0-9]+$'),
    name       text        NOT NULL,
    plan       text        NOT NULL DEFAULT 'team' CHECK (plan IN ('team', 'business', 'enterprise')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE chatbot.users (
    id           text        PRIMARY KEY CHECK (id ~ '^user_[a-z0-9]+$'),
    email        text        NOT NULL,
    name         text        NOT NULL,
    is_staff     boolean     NOT NULL DEFAULT false,
    disabled_at  timestamptz,
    last_seen_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON chatbot.users (lower(email));
COMMENT ON COLUMN chatbot.users.is_staff IS 'works for the platform itself, looks after every organization';

CREATE TABLE chatbot.team_members (
    organization_id text        NOT NULL REFERENCES chatbot.organizations ON DELETE CASCADE,
    user_id         text        NOT NULL REFERENCES chatbot.users ON DELETE CASCADE,
    role            text        NOT NULL DEFAULT 'member' CHECK (role IN ('admin', 'analyst', 'member')),
    joined_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX team_members_user ON chatbot.team_members (user_id);

CREATE TABLE chatbot.products (
    id              text        PRIMARY KEY CHECK (id ~ '^prod_[a-z0-9]+$'),
    organization_id text        NOT NULL REFERENCES chatbot.organizations ON DELETE CASCADE,
    name            text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

CREATE TABLE chatbot.documents (
    id                uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id   text         NOT NULL REFERENCES chatbot.organizations ON DELETE CASCADE,
    product_id        text         REFERENCES chatbot.products ON DELETE SET NULL,
    uploaded_by       text         REFERENCES chatbot.users ON DELETE SET NULL,
    filename          text         NOT NULL CHECK (filename <> ''),
    size_bytes        bigint       NOT NULL CHECK (size_bytes > 0),
    page_count        integer      CHECK (page_count > 0),
    processing_status text         NOT NULL DEFAULT 'upload'
        CHECK (processing_status IN ('upload', 'ocr', 'chunking', 'embedding', 'indexing', 'completed', 'failed')),
    progress          smallint     NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    ocr_confidence    numeric(4,3) CHECK (ocr_confidence BETWEEN 0 AND 1),
    error_message     text,
    uploaded_at       timestamptz  NOT NULL DEFAULT now(),
    finished_at       timestamptz,
    CHECK ((processing_status = 'failed') = (error_message IS NOT NULL)),
    CHECK ((processing_status IN ('completed', 'failed')) = (finished_at IS NOT NULL))
);
CREATE INDEX documents_organization ON chatbot.documents (organization_id, uploaded_at DESC);
CREATE INDEX documents_unfinished ON chatbot.documents (uploaded_at) WHERE finished_at IS NULL;

CREATE TABLE chatbot.document_chunks (
    document_id uuid    NOT NULL REFERENCES chatbot.documents ON DELETE CASCADE,
    position    integer NOT NULL CHECK (position >= 0),
    page        integer NOT NULL,
    content     text    NOT NULL,
    token_count integer NOT NULL CHECK (token_count > 0),
    PRIMARY KEY (document_id, position)
);

CREATE TABLE chatbot.chatbot_instances (
    id              text        PRIMARY KEY CHECK (id ~ '^bot_[a-z0-9]+$'),
    organization_id text        NOT NULL REFERENCES chatbot.organizations ON DELETE CASCADE,
    product_id      text        REFERENCES chatbot.products ON DELETE SET NULL,
    name            text        NOT NULL,
    model           text        NOT NULL,
    status          text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused')),
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX chatbot_instances_organization ON chatbot.chatbot_instances (organization_id);

-- A conversation belongs to its chatbot; whose organization that is, the chatbot knows.
CREATE TABLE chatbot.conversation_sessions (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    chatbot_id   text        NOT NULL REFERENCES chatbot.chatbot_instances ON DELETE CASCADE,
    channel      text        NOT NULL CHECK (channel IN ('website', 'widget', 'slack', 'api')),
    started_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    satisfaction smallint    CHECK (satisfaction BETWEEN 1 AND 5)
);
CREATE INDEX conversation_sessions_chatbot ON chatbot.conversation_sessions (chatbot_id, started_at DESC);

CREATE TABLE chatbot.messages (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id       uuid        NOT NULL REFERENCES chatbot.conversation_sessions ON DELETE CASCADE,
    role             text        NOT NULL CHECK (role IN ('user', 'bot', 'system')),
    content          text,
    status           text        NOT NULL DEFAULT 'completed' CHECK (status IN ('generating', 'completed', 'failed')),
    tokens           integer     CHECK (tokens >= 0),
    response_time_ms integer     CHECK (response_time_ms >= 0),
    error_message    text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CHECK (content IS NOT NULL OR status <> 'completed'),
    CHECK ((status = 'failed') = (error_message IS NOT NULL))
);
CREATE INDEX messages_session ON chatbot.messages (session_id, id);
CREATE INDEX messages_recent ON chatbot.messages (created_at);

-- What the app and its operators want to find again: one log, three kinds.
CREATE TABLE chatbot.system_events (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text        NOT NULL CHECK (kind IN ('health_check', 'error', 'activity')),
    organization_id text        REFERENCES chatbot.organizations ON DELETE CASCADE,
    chatbot_id      text        REFERENCES chatbot.chatbot_instances ON DELETE CASCADE,
    user_id         text        REFERENCES chatbot.users ON DELETE CASCADE,
    component       text        CHECK (component IN ('database', 'vector_search', 'llm_api', 'document_processing', 'general')),
    severity        text        NOT NULL DEFAULT 'info' CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
    name            text        NOT NULL,
    value           numeric,
    threshold       numeric,
    status          text,
    message         text        NOT NULL,
    details         jsonb       NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- The platform's health is everybody's; all else happens to somebody.
    CHECK (kind = 'health_check' OR organization_id IS NOT NULL),
    CHECK (kind <> 'error' OR severity <> 'info'),
    CHECK (kind <> 'activity' OR user_id IS NOT NULL),
    CHECK (kind <> 'health_check' OR (value IS NOT NULL AND status IS NOT NULL))
);
CREATE INDEX system_events_recent ON chatbot.system_events (kind, created_at DESC);
CREATE INDEX system_events_organization ON chatbot.system_events (organization_id, created_at DESC);

COMMENT ON COLUMN chatbot.system_events.name IS 'the metric of a health check, the action of an activity, the class of an error';
