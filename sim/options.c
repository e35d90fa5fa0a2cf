// SPDX-License-Identifier: BSD-3-Clause
// options.c: the command line of osv-sim. Options end at PROGRAM; the rest is the program's.
#include "sim/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hal-linux/boot.h"
#include "hal/hal.h"
#include "sim/network.h"
#include "sim/recording.h"
#include "sim/simulated.h"

// Less than this core does not start in; more than this the machine has no page numbers for.
#define MEMORY_MIN (32ul << 20)
#define MEMORY_MAX (1ul << 40)
#define MEMORY_DEFAULT (1ul << 30)

enum { SEED_CPUS_DEFAULT = 2 }; // the same on every host

static const char usage[] =
    "usage: osv-sim [OPTIONS] PROGRAM [ARGUMENTS...]\n"
    "Runs a Linux program on a kernel of its own, in this process.\n"
    "\n"
    "  -c, --cpus N                 virtual CPUs (default: the host's; with --seed 2)\n"
    "  -m, --memory SIZE            guest memory, with k, M or G (default 1G)\n"
    "      --nodes N                NUMA nodes that memory and CPUs are divided into (default 1)\n"
    "  -v, --mount HOST:GUEST[:ro]  shows a host directory to the program; repeatable\n"
    "      --disk FILE[:ro]         a file or block device of the host as /dev/vda, the next as "
    "/dev/vdb ...\n"
    "      --balloon WHAT[,deflate-on-oom]\n"
    "                               memory that the host takes back: a size, or the name of a "
    "socket "
    "that is\n"
    "                               made, to which sizes are written (see README.md); with "
    "deflate-on-oom it\n"
    "                               comes back before the program gets ENOMEM\n"
    "      --net none|user|switch=FOLDER|tap=NAME[,uring]|sim[,...]\n"
    "                               a network device, eth0 (default none): on a network of its own "
    "that goes\n"
    "                               out by this process's sockets; on a switch with other osv-sim "
    "of the same\n"
    "                               FOLDER (both need no privilege); a tap of the host, "
    "several\n"
    "                               frames by one system call with uring (io_uring); with --seed, "
    "a\n"
    "                               network that the seed decides: sim,loss=0.01,delay=20ms "
    "(README.md)\n"
    "      --ip ADDRESS/BITS[,GATEWAY]  an address of eth0, of IPv4 or IPv6; repeatable\n"
    "                               (default: by DHCP)\n"
    "      --dns ADDRESS            a name server for /etc/resolv.conf (default: DHCP's); "
    "repeatable\n"
    "  -p, --publish [ADDRESS:]HOST:GUEST[/tcp|/udp]\n"
    "                               with --net user, a port of the host's 127.0.0.1, or ADDRESS, "
    "leads to\n"
    "                               the program's; repeatable\n"
    "      --pcap FILE              writes down what eth0 sends and receives, for tcpdump and "
    "Wireshark\n"
    "  -e, --env NAME=VALUE         sets an environment variable; repeatable\n"
    "      --cwd DIR                the program's current directory\n"
    "      --seed N                 a run that can be repeated: the seed decides all that chance "
    "decides\n"
    "      --schedule KIND          with --seed, who goes on: random, pct:D (D changes of "
    "priority), "
    "turns:K\n"
    "                               (K preemptions) (default random); enumerate:K[,RUNS]: all "
    "schedules with\n"
    "                               at most K preemptions where CPUs meet, until one fails\n"
    "      --races                  with --seed, reports accesses to memory that nothing orders; "
    "the "
    "exit\n"
    "                               status is then 66\n"
    "      --faults KIND[=P],...    with --seed, what goes wrong, with chance P (0.01 or 1/100): "
    "page\n"
    "                               (no memory), io (EIO), delay (slow devices), short (reads and "
    "writes),\n"
    "                               clock (steps), stall (a CPU stands still), disk (I/O errors), "
    "or all\n"
    "      --record FILE            with --seed, writes down the run: its turns, and what it is a "
    "run of\n"
    "      --replay FILE            makes the run of FILE again; of the OPTIONS, those that choose "
    "the "
    "run\n"
    "                               and PROGRAM are FILE's\n"
    "      --shrink                 with --seed or --replay: the fewest preemptions with which the "
    "run "
    "fails\n"
    "      --trace-hash             with --seed, prints a number that is the same for the same "
    "run\n"
    "      --debug libs,symbols     prints which files the dynamic linker looks for, and what it "
    "binds to what\n"
    "      --strace                 prints each system call to standard error\n"
    "      --stats                  prints figures of the run at its end\n"
    "      --leak                   at exit, prints which blocks of malloc were not freed\n"
    "      --check-heap             ends the program where it uses malloc's blocks wrongly\n"
    "      --core FILE              writes a core dump for gdb when a signal ends the program\n"
    "      --perf-map               writes /tmp/perf-PID.map, by which perf names functions\n"
    "      --verbose                says more about what happens\n"
    "      --version                prints the version\n"
    "      --help                   prints this\n"
    "\n"
    "PROGRAM without a slash is looked up in PATH. It sees the host's /lib*, /bin, /sbin, /usr and "
    "/etc\n"
    "read-only, its own directory read-only, the current directory, and /tmp, /dev and /proc of "
    "its own.\n"
    "The exit status is the program's; 128+N if signal N ended it.\n";

void options_fail(int status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("osv-sim: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(status);
}

static uint32_t count_parse(const char *option, const char *text, unsigned long most)
{
    char *end;
    errno = 0;
    unsigned long count = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || text[0] == '-' || count < 1 || count > most) {
        options_fail(EXIT_USAGE, "%s: '%s' is not a number from 1 to %lu", option, text, most);
    }
    return (uint32_t)count;
}

static int unit_shift(const char *unit)
{
    static const char units[] = "kmg";
    const char *found = *unit == 0 ? NULL : strchr(units, *unit | 0x20);
    if (*unit == 0) {
        return 0;
    }
    return found == NULL || unit[1] != 0 ? -1 : 10 * (int)(found - units + 1);
}

bool size_parse(const char *text, uint64_t *size)
{
    char *end;
    errno = 0;
    const unsigned long number = strtoul(text, &end, 10);
    const int shift = unit_shift(end);
    const bool is_right = errno == 0 && end > text && text[0] >= '0' && text[0] <= '9' &&
                          shift >= 0 && number <= UINT64_MAX >> shift;
    *size = is_right ? number << shift : 0;
    return is_right;
}

static size_t memory_parse(const char *text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    int shift = unit_shift(end);
    if (errno != 0 || end == text || text[0] == '-' || shift < 0) {
        options_fail(EXIT_USAGE, "--memory: '%s' is not a size, such as 512M", text);
    }
    if (number > MEMORY_MAX >> shift) {
        options_fail(EXIT_USAGE, "--memory: %s is too much; at most %luG", text, MEMORY_MAX >> 30);
    }
    if (number << shift < MEMORY_MIN) {
        options_fail(EXIT_USAGE, "--memory: %s is too little; at least %luM", text,
                     MEMORY_MIN >> 20);
    }
    return (number << shift) & ~(size_t)(HAL_PAGE_SIZE - 1);
}

// Cuts text at its last colon and returns what follows, or NULL.
static char *colon_cut(char *text)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return NULL;
    }
    *colon = 0;
    return colon + 1;
}

static void mount_add(struct options *options, const char *text)
{
    char *host = strdup(text);
    char *guest = host == NULL ? NULL : colon_cut(host);
    bool read_only = guest != NULL && strcmp(guest, "ro") == 0;
    if (read_only) {
        guest = colon_cut(host);
    }
    if (guest == NULL || host[0] == 0 || guest[0] != '/') {
        options_fail(EXIT_USAGE, "--mount: '%s' is not HOST:GUEST[:ro] with an absolute GUEST",
                     text);
    }
    if (options->mount_count == OPTIONS_MOUNT_MAX) {
        options_fail(EXIT_USAGE, "--mount: more than %d of them", OPTIONS_MOUNT_MAX);
    }
    options->mounts[options->mount_count++] = (struct options_mount){host, guest, read_only};
}

static void disk_add(struct options *options, const char *text)
{
    char *host = strdup(text);
    const char *mode = host == NULL ? NULL : strrchr(host, ':');
    const bool read_only = mode != NULL && strcmp(mode, ":ro") == 0;
    if (host == NULL || options->disk_count == OPTIONS_DISK_MAX) {
        options_fail(EXIT_USAGE, "--disk: more than %d of them", OPTIONS_DISK_MAX);
    }
    if (read_only) {
        (void)colon_cut(host);
    }
    options->disks[options->disk_count++] = (struct options_disk){host, read_only};
}

static void balloon_set(struct options *options, const char *text)
{
    static const char flag[] = ",deflate-on-oom";
    struct options_balloon *balloon = &options->balloon;
    char *what = strdup(text);
    if (what == NULL || balloon->is_there) {
        options_fail(EXIT_USAGE, "--balloon: more than one of them");
    }
    char *comma = strrchr(what, ',');
    balloon->is_there = true;
    balloon->gives_back = comma != NULL && strcmp(comma, flag) == 0;
    if (balloon->gives_back) {
        *comma = 0;
    }
    uint64_t size = 0;
    const bool is_size = what[0] >= '0' && what[0] <= '9';
    if (what[0] == 0 || (is_size && !size_parse(what, &size))) {
        options_fail(EXIT_USAGE,
                     "--balloon: '%s' is neither a size, such as 64M, nor the name of a socket",
                     text);
    }
    balloon->size = size;
    balloon->socket = is_size ? NULL : what;
}

static void env_add(struct options *options, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        options_fail(EXIT_USAGE, "--env: '%s' is not NAME=VALUE", text);
    }
    if (options->env_count == OPTIONS_ENV_MAX) {
        options_fail(EXIT_USAGE, "--env: more than %d of them", OPTIONS_ENV_MAX);
    }
    options->env[options->env_count++] = text;
}

static uint64_t number_parse(const char *option, const char *text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 0);
    if (errno != 0 || end == text || *end != 0 || text[0] == '-') {
        options_fail(EXIT_USAGE, "%s: '%s' is not a number from 0 to 2^64 - 1", option, text);
    }
    return number;
}

// "K" or "K,RUNS". Each run of these is of another kind, with its preemptions from a recording.
static bool enumeration_parse(struct options *options, const char *text)
{
    int end = 0, all = 0;
    uint32_t depth = 0, runs = ENUMERATE_RUNS_DEFAULT;
    int found = sscanf(text, "%" SCNu32 "%n,%" SCNu32 "%n", &depth, &end, &runs, &all);
    bool is_right = found > 0 && text[found == 2 ? all : end] == 0 && text[0] != '-' && depth > 0 &&
                    depth <= ENUMERATE_DEPTH_MAX && runs > 0;
    if (is_right) {
        options->enumerated_depth = depth;
        options->enumerated_runs = runs;
        options->seed.schedule = SCHEDULE_TURNS;
        options->seed.depth = 0;
    }
    return is_right;
}

static void schedule_parse(struct options *options, const char *text)
{
    static const char enumeration[] = "enumerate:";
    struct seed_options *seed = &options->seed;
    int end = 0;
    options->enumerated_depth = 0;
    if (strncmp(text, enumeration, sizeof enumeration - 1) == 0 &&
        enumeration_parse(options, text + sizeof enumeration - 1)) {
        return;
    }
    if (strcmp(text, "random") == 0) {
        seed->schedule = SCHEDULE_RANDOM;
        return;
    }
    if (sscanf(text, "pct:%" SCNu32 "%n", &seed->depth, &end) == 1 && text[end] == 0) {
        seed->schedule = SCHEDULE_PCT;
        return;
    }
    if (sscanf(text, "turns:%" SCNu32 "%n", &seed->depth, &end) == 1 && text[end] == 0) {
        seed->schedule = SCHEDULE_TURNS;
        return;
    }
    options_fail(
        EXIT_USAGE,
        "--schedule: '%s' is not random, pct:D, turns:K or enumerate:K[,RUNS], K at most %d", text,
        ENUMERATE_DEPTH_MAX);
}

// The command that a run prints names some again.
static bool race_is_named(const struct seed_options *seed, uint64_t number)
{
    for (uint32_t i = 0; i < seed->race_first_count; ++i) {
        if (seed->race_firsts[i] == number) {
            return true;
        }
    }
    return false;
}

// NULL, or the numbers of accesses that an earlier run printed.
static void races_parse(struct seed_options *seed, const char *text)
{
    seed->finds_races = true;
    for (const char *rest = text; rest != NULL; rest = strchr(rest, ',')) {
        char *end;
        rest += *rest == ',';
        uint64_t number = strtoul(rest, &end, 10);
        if (end == rest || (*end != 0 && *end != ',') || number == 0) {
            options_fail(EXIT_USAGE, "--races: '%s' is not a list of numbers", text);
        }
        if (race_is_named(seed, number)) {
            continue;
        }
        if (seed->race_first_count == SEED_RACES_MAX) {
            options_fail(EXIT_USAGE, "--races: more than %d numbers", SEED_RACES_MAX);
        }
        seed->race_firsts[seed->race_first_count++] = number;
    }
}

static const struct {
    const char *name;
    double chance; // unless another is given
} fault_kinds[SEED_FAULT_COUNT] = {
    [SEED_FAULT_PAGE] = {"page", 0.01},  [SEED_FAULT_IO] = {"io", 0.01},
    [SEED_FAULT_DELAY] = {"delay", 0.1}, [SEED_FAULT_SHORT] = {"short", 0.5},
    [SEED_FAULT_CLOCK] = {"clock", 0.1}, [SEED_FAULT_STALL] = {"stall", 0.01},
    [SEED_FAULT_DISK] = {"disk", 0.01},
};

static double chance_parse(const char *word, const char *text)
{
    char *end;
    double chance = strtod(text, &end);
    if (end != text && *end == '/') {
        const char *below = end + 1;
        double divisor = strtod(below, &end);
        chance = end != below && divisor > 0 ? chance / divisor : -1;
    }
    if (end == text || *end != 0 || !(chance >= 0 && chance <= 1)) {
        options_fail(EXIT_USAGE, "--faults: '%s': not a chance from 0 to 1, such as 0.01 or 1/100",
                     word);
    }
    return chance;
}

static void fault_parse(struct seed_options *seed, const char *word)
{
    size_t length = strcspn(word, "=");
    bool is_all = length == 3 && strncmp(word, "all", 3) == 0;
    bool is_known = false;
    for (int i = 0; i < SEED_FAULT_COUNT; ++i) {
        const char *name = fault_kinds[i].name;
        if (is_all || (strlen(name) == length && strncmp(name, word, length) == 0)) {
            double chance =
                word[length] == 0 ? fault_kinds[i].chance : chance_parse(word, word + length + 1);
            seed->faults[i] = (uint64_t)(chance * (double)(1ul << 32));
            is_known = true;
        }
    }
    if (!is_known) {
        options_fail(EXIT_USAGE,
                     "--faults: '%s' is not of page,io,delay,short,clock,stall,disk,all", word);
    }
}

static void faults_parse(struct seed_options *seed, const char *text)
{
    char *list = strdup(text);
    if (list == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    for (char *rest = list; rest != NULL;) {
        fault_parse(seed, strsep(&rest, ","));
    }
    free(list);
}

static void debug_check(const char *text)
{
    static const char *const words[] = {"libs", "symbols"};
    for (const char *rest = text;; rest += strcspn(rest, ",") + 1) {
        size_t size = strcspn(rest, ",");
        bool is_known = false;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            is_known |= strlen(words[i]) == size && strncmp(rest, words[i], size) == 0;
        }
        if (!is_known) {
            options_fail(EXIT_USAGE, "--debug: '%s' is not of libs,symbols", text);
        }
        if (rest[size] == 0) {
            return;
        }
    }
}

enum long_only {
    OPTION_CWD = 256,
    OPTION_DISK,
    OPTION_BALLOON,
    OPTION_SEED,
    OPTION_SCHEDULE,
    OPTION_RACES,
    OPTION_FAULTS,
    OPTION_RECORD,
    OPTION_REPLAY,
    OPTION_SHRINK,
    OPTION_MEETINGS,
    OPTION_TRACE_HASH,
    OPTION_DEBUG,
    OPTION_STRACE,
    OPTION_STATS,
    OPTION_LEAK,
    OPTION_CHECK_HEAP,
    OPTION_CORE,
    OPTION_PERF_MAP,
    OPTION_VERBOSE,
    OPTION_VERSION,
    OPTION_HELP,
    OPTION_SELF_TEST,
    OPTION_NET,
    OPTION_IP,
    OPTION_DNS,
    OPTION_PCAP,
    OPTION_NODES
};

// Those that belong to --seed. False: it is none of them.
static bool seed_option_take(struct options *options, int option)
{
    switch (option) {
    case OPTION_SCHEDULE:
        schedule_parse(options, optarg);
        break;
    case OPTION_RACES:
        races_parse(&options->seed, optarg);
        break;
    case OPTION_FAULTS:
        options->has_faults = true;
        faults_parse(&options->seed, optarg);
        break;
    case OPTION_MEETINGS: // for the runs of an enumeration: not in --help
        options->seed.records_meetings = true;
        break;
    case OPTION_SHRINK:
        options->shrinks = true;
        break;
    case OPTION_REPLAY:
        options->replay_name = optarg;
        break;
    case OPTION_RECORD:
        options->seed.record = optarg;
        break;
    case OPTION_TRACE_HASH:
        options->seed.prints_hash = true;
        break;
    default:
        return false;
    }
    return true;
}

static void address_take(const char **addresses, size_t *count, const char *name)
{
    if (*count == OPTIONS_ADDRESS_MAX) {
        options_fail(EXIT_USAGE, "%s: more than %d of them", name, OPTIONS_ADDRESS_MAX);
    }
    addresses[(*count)++] = optarg;
}

static void publish_take(struct options *options, const char *text)
{
    if (options->port_count == PORT_MAX) {
        options_fail(EXIT_USAGE, "--publish: more than %d of them", PORT_MAX);
    }
    if (!port_parse(&options->ports[options->port_count++], text)) {
        options_fail(EXIT_USAGE, "--publish: '%s' is not " PORT_FORM, text);
    }
}

// False: it is none of the network's.
static bool network_option_take(struct options *options, int option)
{
    if (option == OPTION_NET) {
        network_check(optarg);
        options->net = optarg;
    } else if (option == OPTION_IP) {
        address_take(options->addresses, &options->address_count, "--ip");
    } else if (option == OPTION_DNS) {
        address_take(options->name_servers, &options->name_server_count, "--dns");
    } else if (option == OPTION_PCAP) {
        options->capture = optarg;
    } else if (option == 'p') {
        publish_take(options, optarg);
    } else {
        return false;
    }
    return true;
}

static void option_take(struct options *options, int option)
{
    if (seed_option_take(options, option) || network_option_take(options, option)) {
        return;
    }
    switch (option) {
    case 'c':
        options->cpu_count = count_parse("--cpus", optarg, HAL_CPU_MAX);
        break;
    case OPTION_NODES:
        options->node_count = count_parse("--nodes", optarg, HAL_NODE_MAX);
        break;
    case 'm':
        options->memory_size = memory_parse(optarg);
        break;
    case 'v':
        mount_add(options, optarg);
        break;
    case OPTION_DISK:
        disk_add(options, optarg);
        break;
    case OPTION_BALLOON:
        balloon_set(options, optarg);
        break;
    case 'e':
        env_add(options, optarg);
        break;
    case OPTION_CWD:
        options->cwd = optarg;
        break;
    case OPTION_SEED:
        options->is_seeded = true;
        options->seed.seed = number_parse("--seed", optarg);
        break;
    case OPTION_DEBUG:
        debug_check(optarg);
        options->debug = optarg;
        break;
    case OPTION_STRACE:
        options->strace = true;
        break;
    case OPTION_STATS:
        options->stats = true;
        break;
    case OPTION_LEAK:
        options->leak = true;
        break;
    case OPTION_CHECK_HEAP:
        options->check_heap = true;
        break;
    case OPTION_CORE:
        options->core = optarg;
        break;
    case OPTION_PERF_MAP:
        options->perf_map = true;
        break;
    case OPTION_VERBOSE:
        options->verbose = options->seed.is_verbose = true;
        break;
    case OPTION_SELF_TEST: // for our own tests: not in --help
        options->self_test = optarg == NULL ? "--selftest" : "--selftest=fail";
        break;
    case OPTION_VERSION:
        puts("osv-sim 0.1");
        exit(0);
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(0);
    default:
        options_fail(EXIT_USAGE, "try 'osv-sim --help'"); // getopt has said what is wrong
    }
}

static const struct option longs[] = {
    {"cpus", required_argument, NULL, 'c'},
    {"memory", required_argument, NULL, 'm'},
    {"nodes", required_argument, NULL, OPTION_NODES},
    {"mount", required_argument, NULL, 'v'},
    {"disk", required_argument, NULL, OPTION_DISK},
    {"balloon", required_argument, NULL, OPTION_BALLOON},
    {"net", required_argument, NULL, OPTION_NET},
    {"ip", required_argument, NULL, OPTION_IP},
    {"dns", required_argument, NULL, OPTION_DNS},
    {"pcap", required_argument, NULL, OPTION_PCAP},
    {"publish", required_argument, NULL, 'p'},
    {"env", required_argument, NULL, 'e'},
    {"cwd", required_argument, NULL, OPTION_CWD},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"schedule", required_argument, NULL, OPTION_SCHEDULE},
    {"races", optional_argument, NULL, OPTION_RACES},
    {"faults", required_argument, NULL, OPTION_FAULTS},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"replay", required_argument, NULL, OPTION_REPLAY},
    {"meetings", no_argument, NULL, OPTION_MEETINGS},
    {"shrink", no_argument, NULL, OPTION_SHRINK},
    {"trace-hash", no_argument, NULL, OPTION_TRACE_HASH},
    {"debug", required_argument, NULL, OPTION_DEBUG},
    {"strace", no_argument, NULL, OPTION_STRACE},
    {"stats", no_argument, NULL, OPTION_STATS},
    {"leak", no_argument, NULL, OPTION_LEAK},
    {"check-heap", no_argument, NULL, OPTION_CHECK_HEAP},
    {"core", required_argument, NULL, OPTION_CORE},
    {"perf-map", no_argument, NULL, OPTION_PERF_MAP},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {"selftest", optional_argument, NULL, OPTION_SELF_TEST},
    {NULL, 0, NULL, 0},
};

// The option as it is written down in a recording, if it says what the run is.
static void word_add(struct options *options, int option)
{
    if (option == OPTION_RECORD || option == OPTION_REPLAY || option == OPTION_SHRINK ||
        option == OPTION_MEETINGS || option == OPTION_TRACE_HASH) {
        return;
    }
    bool is_enumeration = option == OPTION_SCHEDULE && options->enumerated_depth != 0;
    const char *value = is_enumeration ? "turns:0" : optarg;
    for (const struct option *known = longs; known->name != NULL; ++known) {
        char *word;
        if (known->val != option) {
            continue;
        }
        if (asprintf(&word, value == NULL ? "--%s" : "--%s=%s", known->name, value) < 0) {
            options_fail(EXIT_USAGE, "out of memory");
        }
        options->words[options->word_count++] = word;
    }
}

// Takes the options of argv; what is behind them is the program.
static void options_take(struct options *options, int argc, char **argv)
{
    int option;
    options->words =
        realloc(options->words, sizeof(char *) * (options->word_count + (size_t)argc + 1));
    if (options->words == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    optind = 0; // from the start again
    while ((option = getopt_long(argc, argv, "+:c:m:v:e:p:", longs, NULL)) != -1) {
        if (option == ':') {
            options_fail(EXIT_USAGE, "option '%s' needs a value", argv[optind - 1]);
        }
        if (option == '?') {
            options_fail(EXIT_USAGE, "unknown option '%s'; try --help", argv[optind - 1]);
        }
        option_take(options, option);
        word_add(options, option);
    }
    options->program = argv + optind;
}

static void program_words_add(struct options *options)
{
    size_t count = 0;
    while (options->program[count] != NULL) {
        ++count;
    }
    options->words = realloc(options->words, sizeof(char *) * (options->word_count + count + 1));
    if (options->words == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    memcpy(options->words + options->word_count, options->program, (count + 1) * sizeof(char *));
}

// What the recorded command says, and argv on top of it.
static void replay_take(struct options *options, int argc, char **argv)
{
    static struct recording recording;
    const char *name = options->replay_name;
    const char *failure = recording_read(&recording, name);
    if (failure != NULL) {
        options_fail(EXIT_USAGE, "--replay: %s: %s", name, failure);
    }
    if (options->program[0] != NULL || options->is_seeded || options->cpu_count != 0) {
        options_fail(EXIT_USAGE,
                     "--replay: %s says which program, seed and CPUs: name none of them", name);
    }
    char *directory = getcwd(NULL, 0);
    if (directory == NULL || strcmp(directory, recording.run.directory) != 0) {
        options_fail(EXIT_USAGE, "--replay: %s was recorded in %s: change to that directory", name,
                     recording.run.directory);
    }
    free(directory);
    int count = 0;
    while (recording.words[count] != NULL) {
        ++count;
    }
    char **words = calloc((size_t)count + 2, sizeof *words);
    if (words == NULL) {
        options_fail(EXIT_USAGE, "out of memory");
    }
    words[0] = argv[0];
    memcpy(words + 1, recording.words, (size_t)count * sizeof *words);
    *options = (struct options){.memory_size = MEMORY_DEFAULT};
    options_take(options, count + 1, words);
    if (options->program[0] == NULL || !options->is_seeded) {
        options_fail(EXIT_USAGE, "--replay: %s: no command of a run", name);
    }
    char **program = options->program;
    options_take(options, argc, argv);
    options->program = program;
    options->seed.replay = &recording.run;
    options->replay = &recording;
}

static void balloon_check(const struct options *options)
{
    const struct options_balloon *balloon = &options->balloon;
    if (balloon->size > options->memory_size) {
        options_fail(EXIT_USAGE, "--balloon: %zuM is more than the machine has (--memory %zuM)",
                     balloon->size >> 20, options->memory_size >> 20);
    }
    if (balloon->socket != NULL && options->is_seeded) {
        options_fail(EXIT_USAGE,
                     "--balloon: %s: what comes by a socket is no input of a run with --seed: "
                     "give a size",
                     balloon->socket);
    }
}

static void network_seed_check(struct options *options)
{
    const bool is_simulated = simulated_is(options->net);
    if (is_simulated && !options->is_seeded) {
        options_fail(EXIT_USAGE, "--net %s: only with --seed, which decides what happens there",
                     options->net);
    }
    if (options->net != NULL && strcmp(options->net, "none") != 0 && options->is_seeded &&
        !is_simulated) {
        options_fail(EXIT_USAGE,
                     "--net %s: not with --seed: no seed decides what others send; --net sim is a "
                     "network of its own",
                     options->net);
    }
    simulated_addresses(options);
}

void options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.memory_size = MEMORY_DEFAULT};
    options_take(options, argc, argv);
    if (options->replay_name != NULL) {
        replay_take(options, argc, argv);
    }
    if (options->program[0] == NULL && options->self_test == NULL) {
        options_fail(EXIT_USAGE, "no program given; try --help");
    }
    balloon_check(options);
    network_seed_check(options);
    if (options->has_faults && !options->is_seeded) {
        options_fail(EXIT_USAGE, "--faults: only with --seed");
    }
    if (options->seed.record != NULL && !options->is_seeded) {
        options_fail(EXIT_USAGE, "--record: only runs with --seed can be made again");
    }
    if (options->enumerated_depth != 0 && (!options->is_seeded || options->shrinks)) {
        options_fail(EXIT_USAGE, "--schedule enumerate: only with --seed, and without --shrink");
    }
    if (options->shrinks && !options->is_seeded) {
        options_fail(EXIT_USAGE, "--shrink: only with --seed or --replay");
    }
    if (options->cpu_count == 0) {
        options->cpu_count = options->is_seeded ? SEED_CPUS_DEFAULT : boot_host_cpus();
    }
    program_words_add(options);
    options->seed.words = (const char *const *)options->words;
}
