/* The settings: what is understood, what is complained about and where, and that a bad value leaves the default. */
#include "unit.h"

#include "../../shim/config.h"

#include <stdio.h>

static struct config config;
static char complained_where[128];
static char complained_what[128];
static int complaints;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return __real_malloc(size);
}

static void complain(const char *where, const char *what)
{
    snprintf(complained_where, sizeof complained_where, "%s", where);
    snprintf(complained_what, sizeof complained_what, "%s", what);
    complaints++;
}

static int fresh(void **state)
{
    (void)state;
    config_defaults(&config);
    complaints = 0;
    return 0;
}

static bool set(const char *name, const char *value)
{
    return config_set(&config, name, text_span(name), text_span(value), complain);
}

static bool matches(const char *host)
{
    return host_matches(&config.policy.hosts, authority_host(text_span(host)));
}

/* Whether the settings mean a program by its executable and what it was started as. */
static bool means(const char *executable, const char *started_as)
{
    const struct span paths[] = {text_span(executable), started_as ? text_span(started_as) : span_of(NULL, 0)};
    return config_means_program(&config, paths, 2);
}

static void the_defaults_are_those_of_the_documents(void **state)
{
    (void)state;
    assert_int_equal(config.mode, MODE_REWRITE);
    assert_int_equal(config.policy.on_conflict, ON_CONFLICT_JWT);
    assert_int_equal(config.plaintext, PLAINTEXT_AUTO);
    assert_int_equal(config.alpn, ALPN_STEER);
    assert_int_equal(config.log, LOG_OFF);
    assert_int_equal(config.log_level, LOG_LEVEL_REWRITE);
    assert_true(config.loader && config.stdio && config.patch && config.inspect);
    assert_true(means("/usr/bin/anything", NULL));
    assert_true(matches("x.atlassian.net") && matches("x.jira.com") && matches("x.jira-dev.com"));
    assert_true(matches("x.atlassian-us-gov-mod.net"));
    assert_false(matches("bitbucket.org") || matches("x.atlassian-fex.net") || matches("api.atlassian.com"));
}

static void every_choice_is_understood_in_any_case(void **state)
{
    (void)state;
    assert_true(set("JWTSHIM", "Audit") && set("JWTSHIM_ON_CONFLICT", "leave") && set("JWTSHIM_PLAINTEXT", "never"));
    assert_true(set("JWTSHIM_ALPN", "OFF"));
    assert_true(set("JWTSHIM_LOADER", "off") && set("JWTSHIM_STDIO", "Off") && set("JWTSHIM_PATCH", "OFF"));
    assert_true(set("JWTSHIM_INSPECT", "off"));
    assert_true(set("JWTSHIM_LOG", "syslog") && set("JWTSHIM_LOG_LEVEL", " all "));
    assert_int_equal(complaints, 0);
    assert_int_equal(config.mode, MODE_AUDIT);
    assert_int_equal(config.policy.on_conflict, ON_CONFLICT_LEAVE);
    assert_int_equal(config.plaintext, PLAINTEXT_NEVER);
    assert_int_equal(config.alpn, ALPN_OFF);
    assert_int_equal(config.log, LOG_SYSLOG);
    assert_int_equal(config.log_level, LOG_LEVEL_ALL);
    assert_false(config.loader || config.stdio || config.patch || config.inspect);
}

static void only_and_skip_say_which_programs_are_meant(void **state)
{
    (void)state;
    set("JWTSHIM_SKIP", "sshd, apt-get");
    assert_true(means("/usr/bin/curl", NULL));
    assert_false(means("/usr/sbin/sshd", NULL));
    set("JWTSHIM_ONLY", "python3.11,sync-jira,sshd");
    assert_true(means("/usr/bin/python3.11", "/usr/bin/python3"));
    assert_true(means("/usr/bin/perl", "./sync-jira"));
    assert_false(means("/usr/bin/python3.110", "/usr/bin/Sync-Jira"));
    assert_false(means("/usr/sbin/sshd", NULL));
    set("JWTSHIM_ONLY", "");
    assert_true(means("/usr/bin/curl", NULL));
    assert_int_equal(complaints, 0);
}

static void a_list_of_programs_that_is_none_leaves_what_was_listed(void **state)
{
    (void)state;
    set("JWTSHIM_ONLY", "curl");
    set("JWTSHIM_ONLY", "wget,/usr/bin/python3");
    assert_int_equal(complaints, 1);
    assert_true(means("/usr/bin/curl", NULL));
    assert_false(means("/usr/bin/wget", NULL));
    char many[4 * CONFIG_PROGRAMS + 8] = "";
    for (int i = 0; i <= CONFIG_PROGRAMS; i++)
        strcat(many, "ab,");
    set("JWTSHIM_SKIP", many);
    assert_int_equal(complaints, 2);
    assert_true(means("ab", "/usr/bin/curl"));
}

static void a_bad_value_is_complained_about_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"JWTSHIM", "on"},
        {"JWTSHIM", ""},
        {"JWTSHIM_ON_CONFLICT", "both"},
        {"JWTSHIM_PLAINTEXT", "1"},
        {"JWTSHIM_LOG", "events"},
        {"JWTSHIM_LOG_LEVEL", "debug"},
        {"JWTSHIM_ALPN", "on"},
        {"JWTSHIM_LOADER", "yes"},
        {"JWTSHIM_STDIO", "0"},
        {"JWTSHIM_PATCH", ""},
        {"JWTSHIM_INSPECT", "auto"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_true(set(bad[i][0], bad[i][1]));
        assert_int_equal(complaints, i + 1);
        assert_string_equal(complained_where, bad[i][0]);
    }
    the_defaults_are_those_of_the_documents(NULL);
}

static void an_unknown_setting_is_none_of_ours(void **state)
{
    (void)state;
    assert_false(set("JWTSHIM_COLOUR", "red"));
    assert_int_equal(complaints, 0);
}

static void a_log_is_an_absolute_path(void **state)
{
    (void)state;
    set("JWTSHIM_LOG", "/var/log/jwtshim.jsonl");
    assert_int_equal(config.log, LOG_FILE);
    assert_string_equal(config.log_path, "/var/log/jwtshim.jsonl");
    char path[CONFIG_PATH + 2];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    set("JWTSHIM_LOG", path);
    assert_int_equal(complaints, 1);
    assert_string_equal(config.log_path, "/var/log/jwtshim.jsonl");
}

static void hosts_are_added_and_removed(void **state)
{
    (void)state;
    set("JWTSHIM_HOSTS", "bitbucket.org, -jira.com ,*.Example.COM,.internal.test,");
    assert_int_equal(complaints, 0);
    assert_true(matches("bitbucket.org") && matches("a.example.com") && matches("x.internal.test"));
    assert_true(matches("x.atlassian.net"));
    assert_false(matches("x.jira.com") || matches("notexample.com"));
}

static void a_host_that_is_none_is_complained_about(void **state)
{
    (void)state;
    static const char *const bad[] = {"https://x.net", "x.net:443", "a b", "x..net", "x.net/", "*", "-"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set("JWTSHIM_HOSTS", bad[i]);
        assert_int_equal(complaints, i + 1);
    }
    assert_int_equal(config.policy.hosts.count, 4);
}

static void more_hosts_than_there_is_room_for_are_complained_about(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < 2 * HOST_SUFFIXES_MAX; i++) {
        snprintf(name, sizeof name, "h%d.example", i);
        set("JWTSHIM_HOSTS", name);
    }
    assert_int_equal(config.policy.hosts.count, HOST_SUFFIXES_MAX);
    assert_int_equal(complaints, HOST_SUFFIXES_MAX + 4);
}

static void the_media_host_is_never_matched(void **state)
{
    (void)state;
    set("JWTSHIM_HOSTS", "atlassian.com,api.media.atlassian.com");
    assert_true(matches("api.atlassian.com"));
    assert_false(matches("api.media.atlassian.com") || matches("API.Media.Atlassian.com.:443"));
}

static void a_files_errors_are_named_by_line(void **state)
{
    (void)state;
    config_read(&config, "/etc/jwtshim.conf",
                text_span("# a comment\n\nJWTSHIM = audit\n  jwtshim_log=/var/log/j\r\nnonsense\n"), complain);
    assert_int_equal(config.mode, MODE_AUDIT);
    assert_string_equal(config.log_path, "/var/log/j");
    assert_int_equal(complaints, 1);
    assert_string_equal(complained_where, "/etc/jwtshim.conf:5");
    config_read(&config, "f", text_span("JWTSHIM_COLOUR = red"), complain);
    assert_string_equal(complained_where, "f:1");
    assert_string_equal(complained_what, "no such setting");
    config_read(&config, "f", text_span("\nJWTSHIM = maybe\n"), complain);
    assert_string_equal(complained_where, "f:2");
    assert_int_equal(config.mode, MODE_AUDIT);
}

static void an_empty_file_says_nothing(void **state)
{
    (void)state;
    config_read(&config, "f", span_of("", 0), complain);
    config_read(&config, "f", text_span("\n\n#"), complain);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_defaults_are_those_of_the_documents, fresh),
        cmocka_unit_test_setup(every_choice_is_understood_in_any_case, fresh),
        cmocka_unit_test_setup(a_bad_value_is_complained_about_and_changes_nothing, fresh),
        cmocka_unit_test_setup(an_unknown_setting_is_none_of_ours, fresh),
        cmocka_unit_test_setup(a_log_is_an_absolute_path, fresh),
        cmocka_unit_test_setup(only_and_skip_say_which_programs_are_meant, fresh),
        cmocka_unit_test_setup(a_list_of_programs_that_is_none_leaves_what_was_listed, fresh),
        cmocka_unit_test_setup(hosts_are_added_and_removed, fresh),
        cmocka_unit_test_setup(a_host_that_is_none_is_complained_about, fresh),
        cmocka_unit_test_setup(more_hosts_than_there_is_room_for_are_complained_about, fresh),
        cmocka_unit_test_setup(the_media_host_is_never_matched, fresh),
        cmocka_unit_test_setup(a_files_errors_are_named_by_line, fresh),
        cmocka_unit_test_setup(an_empty_file_says_nothing, fresh),
    };
    return cmocka_run_group_tests_name("the settings", tests, NULL, NULL);
}
