#!/usr/bin/php
<?php
// PHP's http and https stream wrappers (file_get_contents). Prints the status of each response.
[, $mode, $url] = $argv;
$http = ['ignore_errors' => true];
if ($mode === 'post') {
    $http += ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => file_get_contents(getenv('BODY'))];
}
$context = stream_context_create(['http' => $http, 'ssl' => ['cafile' => getenv('CA')]]);
file_get_contents($url, false, $context);
foreach ($http_response_header as $line) {
    if (preg_match('{^HTTP/1\.[01] (\d+)}', $line, $match)) {
        echo $match[1], "\n";
    }
}
