<?php
// Guzzle over PHP's curl extension.
require '/usr/share/php/GuzzleHttp/autoload.php';
[, $mode, $url] = $argv;
$client = new GuzzleHttp\Client(['verify' => getenv('CA'), 'http_errors' => false, 'version' => getenv('VERSION') === '2' ? 2.0 : 1.1]);
echo $client->request(strtoupper($mode), $url, $mode === 'post' ? ['json' => ['a' => 'b']] : [])->getStatusCode(), "\n";
