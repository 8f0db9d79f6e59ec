<?php
// PHP's curl extension.
[, $mode, $url] = $argv;
$handle = curl_init($url);
$version = getenv('VERSION') === '2' ? CURL_HTTP_VERSION_2_0 : CURL_HTTP_VERSION_1_1;
curl_setopt_array($handle, [CURLOPT_CAINFO => getenv('CA'), CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTP_VERSION => $version]);
if ($mode === 'post') {
    curl_setopt_array($handle, [CURLOPT_POSTFIELDS => '{}', CURLOPT_HTTPHEADER => ['Content-Type: application/json']]);
}
curl_exec($handle);
echo curl_getinfo($handle, CURLINFO_RESPONSE_CODE), "\n";
