-- What there is in sql/presets, for whoever is about to attach an app: each argument with its defaults. The first that fits the app's tables counts.
CREATE OR REPLACE VIEW rowcast.presets (preset, position, part, argument, kind, defaults, description) AS
SELECT 'chatbot'::text, p.* FROM rowcast.preset_chatbot p
UNION ALL SELECT 'sessions', p.* FROM rowcast.preset_sessions p
UNION ALL SELECT 'audit', p.* FROM rowcast.preset_audit p;
COMMENT ON VIEW rowcast.presets IS 'ready mappings for rowcast.attach_preset(): {argument} in a default stands for another argument, NULL for none';
