-- Whether rowcast is in use here for somebody else: the example brings its own answer to who may see what, which would replace theirs.
SELECT EXISTS (SELECT FROM rowcast.attachments) OR EXISTS (SELECT FROM rowcast.memberships) AS somebodys
