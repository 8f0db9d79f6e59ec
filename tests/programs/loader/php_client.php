<?php
// PHP's curl extension, which is loaded with RTLD_DEEPBIND: h1|h2, then one GET and one POST of each URL on one handle. Prints
// PROTOCOL/STATUS.
$handle = curl_init();
$version = $argv[1] === 'h2' ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
foreach (array_slice($argv, 2) as $number => $url) {
    curl_setopt_array($handle, [CURLOPT_URL => $url, CURLOPT_CAINFO => getenv('CA'), CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 15,
                                CURLOPT_HTTP_VERSION => $version]);
    if ($number % 2) {
        curl_setopt_array($handle, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => '{"a": 1}', CURLOPT_HTTPHEADER => ['Content-Type: application/json']]);
    }
    curl_exec($handle);
    $spoken = curl_getinfo($handle, CURLINFO_HTTP_VERSION) === CURL_HTTP_VERSION_2_0 ? 'h2' : 'h1';
    printf("%s/%d\n", $spoken, curl_getinfo($handle, CURLINFO_RESPONSE_CODE));
}
