<?php
// PHP's curl extension: one GET a URL on one handle. Prints PROTOCOL/STATUS.
$handle = curl_init();
foreach (array_slice($argv, 1) as $url) {
    curl_setopt_array($handle, [CURLOPT_URL => $url, CURLOPT_CAINFO => getenv('CA'), CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 15]);
    curl_exec($handle);
    $version = curl_getinfo($handle, CURLINFO_HTTP_VERSION) === CURL_HTTP_VERSION_2_0 ? 'h2' : 'http/1.1';
    printf("%s/%d\n", $version, curl_getinfo($handle, CURLINFO_RESPONSE_CODE));
}
