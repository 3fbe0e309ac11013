-- Would this user get this event now? $3 and $4 are what a client would ask for.
SELECT rule, passes, detail FROM rowcast.explain($1, $2, $3, $4)
