#!/usr/bin/php
<?php
// PHP's fsockopen, as hand-written clients use it: the head line by line, the body last. Prints the status of each response.
[, $mode] = $argv;
$urls = array_slice($argv, 2);
ini_set('openssl.cafile', getenv('CA'));
$parts = parse_url($urls[0]);
$tls = $parts['scheme'] === 'https';
$socket = fsockopen(($tls ? 'ssl://' : '') . $parts['host'], $tls ? 443 : 80, $errno, $error, 10) or exit("$error\n");
foreach ($urls as $i => $url) {
    $target = substr($url, strpos($url, '/', 8));
    $body = $mode === 'post' ? file_get_contents(getenv('BODY')) : '';
    fwrite($socket, ($mode === 'post' ? 'POST' : 'GET') . " $target HTTP/1.1\r\n");
    fwrite($socket, "Host: {$parts['host']}\r\n");
    if ($body !== '') {
        fwrite($socket, "Content-Type: application/json\r\nContent-Length: " . strlen($body) . "\r\n");
    }
    fwrite($socket, $i + 1 < count($urls) ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
    fwrite($socket, "\r\n");
    fwrite($socket, $body);

    $length = 0;
    for ($line = fgets($socket); $line !== false && $line !== "\r\n"; $line = fgets($socket)) {
        if (preg_match('{^HTTP/1\.1 (\d+)}', $line, $match)) {
            echo $match[1], "\n";
        } elseif (preg_match('{^Content-Length: (\d+)}i', $line, $match)) {
            $length = (int) $match[1];
        }
    }
    stream_get_contents($socket, $length);
}
