# WWW::Curl: libcurl.
use strict;
use warnings;
use WWW::Curl::Easy;

my ($mode, $url) = @ARGV;
my $curl = WWW::Curl::Easy->new;
$curl->setopt(CURLOPT_URL, $url);
$curl->setopt(CURLOPT_CAINFO, $ENV{CA});
$curl->setopt(CURLOPT_HTTP_VERSION, $ENV{VERSION} eq '2' ? 3 : CURL_HTTP_VERSION_1_1);
$curl->setopt(CURLOPT_POSTFIELDS, '{}') if $mode eq 'post';
$curl->perform;
print "\n", $curl->getinfo(CURLINFO_RESPONSE_CODE), "\n";
