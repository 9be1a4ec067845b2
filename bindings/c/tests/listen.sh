# The example that listens hears what the example that submits publishes.
#
#     listen.sh LISTEN EPOLL HOST:PORT,HOST:PORT,...
set -eu
heard=$(mktemp) && news=$(mktemp)
trap 'rm -f "$heard" "$news"' EXIT
"$1" "$3" 2 listen:a 'listen:b*' > "$heard" 2> "$news" &
listener=$!
tries=0
until [ "$(grep -c '^subscribed to ' "$news")" = 2 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$news" >&2; kill "$listener"; exit 1; }
    sleep 0.1
done
printf 'PUBLISH listen:a one\nPUBLISH listen:bc two' | "$2" "$3" > /dev/null
wait "$listener"
sort "$heard" | tr '\n' ' ' | grep -qx 'listen:a: one listen:bc: two '
