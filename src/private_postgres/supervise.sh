# Runs Postgres for as long as somebody holds the other end of standard input, then shuts it down and tidies up.
#
# A process that is killed cannot clean up after itself, but the kernel closes its pipes. Standard output is the lock on
# the data, which must be held until Postgres has gone, and by nobody longer: hence nothing below inherits it.
#
# Usage: SIGNAL LOG SOCKET-DIRECTORY THROWAWAY-DIRECTORY-OR-EMPTY POSTGRES [ARGUMENT…]
signal=$1 log=$2 socket=$3 throwaway=$4
shift 4

# The log holds one start's worth, which is what anybody reads.
exec 2>"$log"
rm -rf "$socket"
mkdir -m 700 "$socket" || exit

# A command in the background would otherwise get /dev/null for its standard input.
exec 3<&0
# The terminal's and the service manager's signals are for rowcast, which closes the pipe when it ends.
trap '' HUP INT TERM

"$@" 3<&- >&2 &
postgres=$!

{
    read -r _ <&3
    # Again and again, because a Postgres that has only just been started ignores the first.
    while kill -s "$signal" "$postgres"; do sleep 1; done
} >/dev/null 2>&1 &
watcher=$!

wait "$postgres"
status=$?
kill -s KILL "$watcher" 2>/dev/null
rm -rf "$socket" ${throwaway:+"$throwaway"}
exit "$status"
