# guard DIR SIGNAL COMMAND... — runs COMMAND until descriptor 3 reaches its end,
# which is when the test process that holds the other end is gone; then ends
# COMMAND and removes DIR. The file DIR/exited says that COMMAND ended by itself:
# its process id may then belong to somebody else and is left alone.
dir=$1
signal=$2
shift 2

"$@" 3<&- &
server=$!
(
	cat <&3 >/dev/null
	[ -e "$dir/exited" ] || kill -s "$signal" "$server"
) &
exec 3<&-

wait "$server"
: >"$dir/exited"
wait
cd /
rm -rf "$dir"
