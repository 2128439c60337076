<?php
// A chat service that decides about clients, in PHP. Run it here, beside a node started with
//   --set "backend.routes=/chat attached" --set gateway.event_cookies=session
//
//   ../stubs.sh php gen
//   php chat.php [NODE]    (by default 127.0.0.1:9090)
// Nothing listens here: it opens a stream to the node and answers the questions that come along it.
// gRPC is HTTP/2 with framed messages, so the curl extension does without one for gRPC.
use Wsrouter\V1\{AttachRequest, AttachResponse, PushRequest};
set_include_path(__DIR__ . '/gen:' . get_include_path());  // php-google-protobuf is in the latter
spl_autoload_register(fn ($class) => include strtr($class, '\\', '/') . '.php');
const SESSIONS = ['alice-session' => 'alice', 'bob-session' => 'bob', 'mallory-session' => 'mallory'];
const BANNED = ['mallory'];
function text(array $value): array { return ['text' => json_encode($value)]; }
function toLobby(array $news): array { return ['room' => 'lobby', 'payload' => text($news)]; }

function connect(array $asked): array {  // questions and answers: backend.proto's, as arrays
    $who = SESSIONS[$asked['client']['cookies']['session'] ?? ''] ?? null;
    if ($who === null) return ['refuse' => ['code' => 4001, 'reason' => 'log in first']];
    if (in_array($who, BANNED)) return ['refuse' => ['code' => 4003, 'reason' => 'banned']];
    $welcome = text(['type' => 'welcome', 'you' => $who]);
    return ['accept' => ['client_id' => $who, 'rooms' => ['lobby'], 'first' => [$welcome]]];
}

function message(array $asked): array {
    $said = json_decode($asked['payload']['text'] ?? '', true);
    [$type, $text] = [$said['type'] ?? null, $said['text'] ?? null];
    $news = ['type' => 'said', 'from' => $asked['clientId'], 'text' => $text];
    return ['effects' => [match (true) {
        $type === 'say' && is_string($text) => ['push' => toLobby($news)],
        $type === 'leave' => ['leave' => ['rooms' => ['lobby']]],
        $type === 'quit' => ['disconnect' => ['code' => 4000, 'reason' => 'bye']],
        default => ['disconnect' => ['code' => 1008, 'reason' => 'say, leave or quit']],
    }]];
}

function disconnected(array $asked): object {
    $left = framed(new PushRequest(), toLobby(['type' => 'left', 'who' => $asked['clientId']]));
    curl_exec(grpc('Router/Push', [CURLOPT_POSTFIELDS => $left, CURLOPT_RETURNTRANSFER => true]));
    return (object) [];
}

function framed(object $message, array $value): string {
    $message->mergeFromJsonString(json_encode($value));
    return pack('CN', 0, $message->byteSize()) . $message->serializeToString();
}

function grpc(string $method, array $options): CurlHandle {
    $call = curl_init(($GLOBALS['argv'][1] ?? '127.0.0.1:9090') . "/wsrouter.v1.$method");
    curl_setopt_array($call, $options + [CURLOPT_CUSTOMREQUEST => 'POST',
        CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
        CURLOPT_HTTPHEADER => ['content-type: application/grpc', 'te: trailers', 'expect:']]);
    return $call;
}

for (;; sleep(1)) {  // to a node that restarts it attaches again
    [$curl, $head, $in] = [curl_multi_init(), '', ''];
    $out = framed(new AttachRequest(), ['attach' => ['path_prefix' => '/chat']]);
    $take = function ($call, $file, int $most) use (&$out) {
        [$now, $out] = [substr($out, 0, $most), substr($out, $most)];
        return $now === '' ? CURL_READFUNC_PAUSE : $now;
    };
    $keep = fn (&$in) => function ($call, $got) use (&$in) { $in .= $got; return strlen($got); };
    $stream = grpc('Events/Attach', [CURLOPT_UPLOAD => true, CURLOPT_READFUNCTION => $take,
        CURLOPT_WRITEFUNCTION => $keep($in), CURLOPT_HEADERFUNCTION => $keep($head)]);
    curl_multi_add_handle($curl, $stream);
    for ($open = true; $open && !str_contains($head, 'grpc-status'); curl_multi_select($curl)) {
        curl_multi_exec($curl, $open);
        while (strlen($in) > 4 && strlen($in) >= ($end = 5 + unpack('N', $in, 1)[1])) {
            ($message = new AttachResponse())->mergeFromString(substr($in, 5, $end - 5));
            [$in, $got] = [substr($in, $end), json_decode($message->serializeToJsonString(), true)];
            if (isset($got['ready'])) echo "attached\n";
            if (!($kind = array_key_last($got['question'] ?? []))) continue;  // the name of a function
            ['questionId' => $id, $kind => $asked] = $got['question'];
            $out .= framed(new AttachRequest(), ['answer' => ['question_id' => $id, $kind => $kind($asked)]]);
        }
        if ($out !== '') curl_pause($stream, CURLPAUSE_CONT);
    }
    fwrite(STDERR, "not attached, again in a second. $head\n");  // the node's status, if it gave one
}
