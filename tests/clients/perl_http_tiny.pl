#!/usr/bin/perl
# Perl's HTTP::Tiny (core; TLS by IO::Socket::SSL). Prints the status of each response.
use strict;
use warnings;
use HTTP::Tiny;

my ($mode, @urls) = @ARGV;
my $agent = HTTP::Tiny->new(verify_SSL => 1, SSL_options => { SSL_ca_file => $ENV{CA} });
for my $url (@urls) {
    my $response;
    if ($mode eq 'post') {
        open my $file, '<:raw', $ENV{BODY} or die;
        my $body = do { local $/; <$file> };
        $response = $agent->post($url, { headers => { 'Content-Type' => 'application/json' }, content => $body });
    } else {
        $response = $agent->get($url);
    }
    print "$response->{status}\n";
    print STDERR $response->{content} if $response->{status} == 599;
}
