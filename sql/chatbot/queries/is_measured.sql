-- Whether rowcast knows where the app's messages are.
SELECT to_regclass('rowcast.messages') IS NOT NULL AS measured
