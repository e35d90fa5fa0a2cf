// SPDX-License-Identifier: BSD-3-Clause
// argp_help.c: what argp's help says, in glibc's words, order and columns.
//
// Options of the whole tree become entries, each with its aliases, sorted by group and name.
// Children with a header or a group of their own make clusters, which stay together. Invariant: a
// letter belongs to the first entry that has it.
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/argp.h"
#include "core/libc/copied.h"
#include "core/libc/export.h"
#include "core/libc/libc.h"
#include "core/libc/memory.h"
#include "core/sync/mutex.h"

enum { // of help filters
    KEY_PRE_DOC = 0x2000001,
    KEY_POST_DOC = 0x2000002,
    KEY_HEADER = 0x2000003,
    KEY_EXTRA = 0x2000004,
    KEY_DUPLICATE_NOTE = 0x2000005,
    KEY_ARGS_DOC = 0x2000006,
};

enum { LETTERS = UCHAR_MAX + 1 };

struct cluster {
    const struct argp *argp;
    const char *header;
    size_t index;
    int group, depth;
    const struct cluster *parent;
};

struct entry {
    const struct argp_option *option; // the first; its aliases follow
    size_t option_count;
    int group;
    const struct cluster *cluster; // NULL: the root
    const struct argp *argp;
    size_t order;
    uint64_t letters[LETTERS / 64]; // its own
};

struct format { // of ARGP_HELP_FMT
    int duplicates, duplicates_note, short_column, long_column, doc_option_column, doc_column;
    int header_column, usage_indent, right_margin;
};

struct help {
    struct argp_node *nodes;
    size_t node_count;
    struct cluster *clusters; // by node; those without are of their parents
    const struct cluster **cluster_of;
    struct entry *entries;
    size_t entry_count;
    const struct argp_state *state;
    struct argp_text text;
    struct format format;
    const struct entry *previous; // that was printed
    bool separates_groups;        // a header was printed
    bool left_out_argument;       // of a letter, because the name has it
};

static bool letter_has(const struct entry *entry, int key)
{
    return (entry->letters[key / 64] >> key % 64 & 1) != 0;
}

static bool is_visible(const struct argp_option *option)
{
    return (option->flags & OPTION_HIDDEN) == 0;
}

static bool is_alias(const struct argp_option *option)
{
    return (option->flags & OPTION_ALIAS) != 0;
}

static bool is_doc(const struct argp_option *option)
{
    return (option->flags & OPTION_DOC) != 0;
}

static bool has_letter(const struct entry *entry, const struct argp_option *option)
{
    return libc_argp_is_short(option) && letter_has(entry, option->key);
}

// Visible options of the entry with a letter, or with a name; *at counts. NULL: no more.
static const struct argp_option *letter_next(const struct entry *entry, size_t *at)
{
    while (*at < entry->option_count) {
        const struct argp_option *option = &entry->option[(*at)++];
        if (has_letter(entry, option) && is_visible(option)) {
            return option;
        }
    }
    return NULL;
}

static const struct argp_option *name_next(const struct entry *entry, size_t *at)
{
    while (*at < entry->option_count) {
        const struct argp_option *option = &entry->option[(*at)++];
        if (option->name != NULL && is_visible(option)) {
            return option;
        }
    }
    return NULL;
}

static void letters_take(struct entry *entry, uint64_t taken[LETTERS / 64])
{
    for (size_t i = 0; i < entry->option_count; ++i) {
        const struct argp_option *option = &entry->option[i];
        uint64_t bit = (uint64_t)1 << (unsigned)option->key % 64;
        if (libc_argp_is_short(option) && (taken[option->key / 64] & bit) == 0) {
            taken[option->key / 64] |= bit;
            entry->letters[option->key / 64] |= bit;
        }
    }
}

static void entries_make(struct help *help, size_t node, uint64_t taken[LETTERS / 64])
{
    const struct argp *argp = help->nodes[node].argp;
    int group = 0;
    for (const struct argp_option *option = argp->options;
         option != NULL && !libc_argp_is_end(option); ++option) {
        struct entry *entry = &help->entries[help->entry_count - 1];
        if (is_alias(option)) {
            if (entry->argp == argp) {
                ++entry->option_count;
            }
            continue;
        }
        if (option->group != 0) {
            group = option->group;
        } else if (option->name == NULL && option->key == 0) {
            ++group;
        }
        *++entry = (struct entry){.option = option,
                                  .option_count = 1,
                                  .group = group,
                                  .cluster = help->cluster_of[node],
                                  .argp = argp,
                                  .order = help->entry_count};
        ++help->entry_count;
    }
    for (size_t i = 1; i < help->entry_count; ++i) {
        if (help->entries[i].argp == argp && help->entries[i].cluster == help->cluster_of[node]) {
            letters_take(&help->entries[i], taken);
        }
    }
}

static void cluster_make(struct help *help, size_t node)
{
    const struct argp_node *of = &help->nodes[node];
    const struct argp_child *child = of->as_child;
    const struct cluster *parent = node == 0 ? NULL : help->cluster_of[of->parent];
    help->cluster_of[node] = parent;
    if (child != NULL && (child->group != 0 || child->header != NULL)) {
        help->clusters[node] = (struct cluster){
            .argp = help->nodes[of->parent].argp,
            .header = child->header,
            .index = of->child_index,
            .group = child->group,
            .depth = parent == NULL ? 0 : parent->depth + 1,
            .parent = parent,
        };
        help->cluster_of[node] = &help->clusters[node];
    }
}

// Groups: 0, 1 ..., then the negative ones; equal ones are as `equal` says.
static int group_compare(int a, int b, int equal)
{
    if (a == b) {
        return equal;
    }
    return (a < 0) == (b < 0) ? (a < b ? -1 : 1) : (a < 0 ? 1 : -1);
}

static int cluster_compare(const struct cluster *a, const struct cluster *b)
{
    int deeper = a->depth - b->depth;
    while (a->depth > b->depth) {
        a = a->parent;
    }
    while (b->depth > a->depth) {
        b = b->parent;
    }
    if (a == b) {
        return deeper;
    }
    while (a->parent != b->parent) {
        a = a->parent;
        b = b->parent;
    }
    return group_compare(a->group, b->group, a->index < b->index ? 1 : -1);
}

static int base_group(const struct cluster *cluster)
{
    while (cluster->parent != NULL) {
        cluster = cluster->parent;
    }
    return cluster->group;
}

// Moves *name to what it is sorted by. Whether it does not look like an option.
static bool doc_name_skip(const char **name)
{
    while (isspace((unsigned char)**name)) {
        ++*name;
    }
    bool is_other = **name != '-';
    while (**name != '\0' && !isalnum((unsigned char)**name)) {
        ++*name;
    }
    return is_other;
}

static int names_compare(const struct entry *a, const struct entry *b)
{
    const struct entry *const both[2] = {a, b};
    const char *names[2];
    int letters[2];
    bool docs[2];
    for (int i = 0; i < 2; ++i) {
        size_t at = 0;
        const struct argp_option *option = letter_next(both[i], &at);
        letters[i] = option == NULL ? 0 : option->key;
        docs[i] = is_doc(both[i]->option);
        at = 0;
        option = docs[i] ? both[i]->option : name_next(both[i], &at);
        names[i] = option == NULL ? NULL : option->name;
        docs[i] = docs[i] && names[i] != NULL && doc_name_skip(&names[i]);
    }
    if (docs[0] != docs[1]) {
        return docs[0] ? 1 : -1;
    }
    if (letters[0] == 0 && letters[1] == 0 && names[0] != NULL && names[1] != NULL) {
        return strcasecmp(names[0], names[1]);
    }
    int first[2];
    for (int i = 0; i < 2; ++i) {
        first[i] = letters[i] != 0 ? letters[i] : names[i] != NULL ? (unsigned char)*names[i] : 0;
    }
    int order = tolower(first[0]) - tolower(first[1]);
    return order != 0 ? order : first[1] - first[0]; // small letters first
}

static int entry_compare(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int order;
    if (a->cluster != b->cluster) {
        order = a->cluster == NULL   ? group_compare(a->group, base_group(b->cluster), -1)
                : b->cluster == NULL ? group_compare(base_group(a->cluster), b->group, 1)
                                     : cluster_compare(a->cluster, b->cluster);
    } else {
        order = a->group == b->group ? names_compare(a, b) : group_compare(a->group, b->group, 0);
    }
    return order != 0 ? order : (a->order < b->order ? -1 : 1);
}

static void last_set(struct help *help, const char *name)
{
    for (size_t i = 1; i < help->entry_count; ++i) {
        size_t at = 0;
        const struct argp_option *option;
        while ((option = name_next(&help->entries[i], &at)) != NULL) {
            if (strcmp(option->name, name) == 0) {
                help->entries[i].group = -1;
                return;
            }
        }
    }
}

static void help_free(struct help *help)
{
    libc_free(help->nodes);
    libc_free(help->clusters);
    libc_free(help->cluster_of);
    libc_free(help->entries);
}

static bool help_make(struct help *help, const struct argp *root)
{
    uint64_t taken[LETTERS / 64] = {0};
    size_t options = 1;
    help->nodes = libc_argp_list(root, &help->node_count);
    for (size_t i = 0; help->nodes != NULL && i < help->node_count; ++i) {
        const struct argp_option *option = help->nodes[i].argp->options;
        for (; option != NULL && !libc_argp_is_end(option); ++option) {
            ++options;
        }
    }
    if (help->nodes != NULL) {
        help->clusters = libc_calloc(help->node_count, sizeof *help->clusters);
        help->cluster_of = libc_calloc(help->node_count, sizeof *help->cluster_of);
        help->entries = libc_calloc(options, sizeof *help->entries);
    }
    if (help->entries == NULL || help->cluster_of == NULL || help->clusters == NULL) {
        help_free(help);
        return false;
    }
    help->entry_count = 1; // the first is nobody's, so that each has one before it
    for (size_t i = 0; i < help->node_count; ++i) {
        cluster_make(help, i);
        entries_make(help, i, taken);
    }
    last_set(help, "help");
    last_set(help, "version");
    qsort(help->entries + 1, help->entry_count - 1, sizeof *help->entries, entry_compare);
    return true;
}

// The text as the filter of the argp wants it; the caller frees it if it is not `text`.
static const char *filtered(const struct help *help, const struct argp *argp, int key,
                            const char *text)
{
    if (argp == NULL || argp->help_filter == NULL) {
        return text;
    }
    return argp->help_filter(key, text, libc_argp_input(argp, help->state));
}

static void filtered_free(const char *result, const char *text)
{
    if (result != NULL && result != text) {
        libc_free((void *)(uintptr_t)result);
    }
}

static void header_print(struct help *help, const char *header, const struct argp *argp)
{
    struct argp_text *text = &help->text;
    const char *shown = filtered(help, argp, KEY_HEADER, header);
    if (shown != NULL) {
        if (*shown != '\0') {
            if (help->previous != NULL) {
                libc_text_put(text, "\n");
            }
            libc_text_indent(text, help->format.header_column);
            libc_text_left_set(text, help->format.header_column);
            libc_text_wrap_set(text, help->format.header_column);
            libc_text_put(text, shown);
            libc_text_left_set(text, 0);
            libc_text_put(text, "\n");
        }
        help->separates_groups = true;
    }
    filtered_free(shown, header);
}

static bool is_within(const struct cluster *cluster, const struct cluster *outer)
{
    while (cluster != NULL && cluster != outer) {
        cluster = cluster->parent;
    }
    return cluster == outer;
}

// Between two forms of an entry; before its first one what separates it from the entry before.
static void form_begin(struct help *help, const struct entry *entry, int column, bool *is_first)
{
    const struct entry *previous = help->previous;
    const struct cluster *cluster = entry->cluster;
    if (!*is_first) {
        libc_text_put(&help->text, ", ");
    } else {
        if (help->separates_groups && previous != NULL && entry->group != previous->group) {
            libc_text_put(&help->text, "\n");
        }
        bool is_new = previous == NULL || (cluster != NULL && previous->cluster != cluster &&
                                           !is_within(previous->cluster, cluster));
        if (cluster != NULL && cluster->header != NULL && *cluster->header != '\0' && is_new) {
            int margin = help->text.wrap_margin;
            header_print(help, cluster->header, cluster->argp);
            libc_text_wrap_set(&help->text, margin);
        }
        *is_first = false;
    }
    libc_text_indent(&help->text, column);
}

static void argument_print(struct help *help, const struct argp_option *option, const char *needed,
                           const char *optional)
{
    if (option->arg != NULL) {
        bool is_optional = (option->flags & OPTION_ARG_OPTIONAL) != 0;
        libc_text_print(&help->text, is_optional ? optional : needed, option->arg);
    }
}

static void letters_print(struct help *help, const struct entry *entry, bool *is_first)
{
    const struct argp_option *option;
    size_t at = 0;
    bool has_name = !is_doc(entry->option) && name_next(entry, &at) != NULL;
    libc_text_wrap_set(&help->text, help->format.short_column);
    for (at = 0; (option = letter_next(entry, &at)) != NULL;) {
        form_begin(help, entry, help->format.short_column, is_first);
        libc_text_print(&help->text, "-%c", option->key);
        if (!has_name || help->format.duplicates != 0) {
            argument_print(help, entry->option, " %s", "[%s]");
        } else if (entry->option->arg != NULL) {
            help->left_out_argument = true;
        }
    }
}

static void names_print(struct help *help, const struct entry *entry, bool *is_first)
{
    const struct argp_option *option;
    bool is_documentation = is_doc(entry->option);
    int column = is_documentation ? help->format.doc_option_column : help->format.long_column;
    bool is_first_name = true;
    libc_text_wrap_set(&help->text, column);
    for (size_t at = 0; (option = name_next(entry, &at)) != NULL;) {
        if (is_documentation) {
            if (*option->name != '\0') {
                form_begin(help, entry, column, is_first);
                libc_text_put(&help->text, option->name);
            }
            continue;
        }
        form_begin(help, entry, column, is_first);
        libc_text_print(&help->text, "--%s", option->name);
        if (is_first_name || help->format.duplicates != 0) {
            argument_print(help, entry->option, "=%s", "[=%s]");
        } else if (option->arg != NULL) {
            help->left_out_argument = true;
        }
        is_first_name = false;
    }
}

static void doc_print(struct help *help, const struct entry *entry)
{
    struct argp_text *text = &help->text;
    const struct argp_option *option = entry->option;
    const char *doc = filtered(help, entry->argp, option->key, option->doc);
    if (doc != NULL && *doc != '\0') {
        int column = help->format.doc_column;
        libc_text_wrap(text);
        int at = text->column;
        libc_text_left_set(text, column);
        libc_text_wrap_set(text, column);
        if (at > column + 3) {
            libc_text_put(text, "\n");
        } else if (at >= column) {
            libc_text_put(text, "   ");
        } else {
            libc_text_indent(text, column);
        }
        libc_text_put(text, doc);
    }
    filtered_free(doc, option->doc);
    libc_text_left_set(text, 0);
    libc_text_put(text, "\n");
}

static void entry_print(struct help *help, const struct entry *entry)
{
    const struct argp_option *option = entry->option;
    bool is_first = true;
    int left = libc_text_left_set(&help->text, 0);
    int wrap = help->text.wrap_margin;
    letters_print(help, entry, &is_first);
    names_print(help, entry, &is_first);
    libc_text_left_set(&help->text, 0);
    if (!is_first) {
        doc_print(help, entry);
        help->previous = entry;
    } else if (!libc_argp_is_short(option) && option->name == NULL) {
        header_print(help, option->doc, entry->argp);
        help->previous = entry;
    }
    libc_text_left_set(&help->text, left);
    libc_text_wrap_set(&help->text, wrap);
}

static void entries_print(struct help *help)
{
    static const char note[] =
        "Mandatory or optional arguments to long options are also mandatory or optional for any "
        "corresponding short options.";
    for (size_t i = 1; i < help->entry_count; ++i) {
        entry_print(help, &help->entries[i]);
    }
    if (help->left_out_argument && help->format.duplicates_note != 0) {
        const struct argp *root = help->state == NULL ? NULL : help->state->root;
        const char *shown = filtered(help, root, KEY_DUPLICATE_NOTE, note);
        if (shown != NULL && *shown != '\0') {
            libc_text_put(&help->text, "\n");
            libc_text_put(&help->text, shown);
            libc_text_put(&help->text, "\n");
        }
        filtered_free(shown, note);
    }
}

static void usage_letters(struct help *help, bool with_argument)
{
    bool is_any = false;
    for (size_t i = 1; i < help->entry_count; ++i) {
        const struct argp_option *option;
        const struct entry *entry = &help->entries[i];
        for (size_t at = 0; (option = letter_next(entry, &at)) != NULL;) {
            const char *argument = option->arg != NULL ? option->arg : entry->option->arg;
            int flags = option->flags | entry->option->flags;
            if ((argument != NULL) != with_argument || (flags & OPTION_NO_USAGE) != 0) {
                continue;
            }
            if (!with_argument) {
                libc_text_print(&help->text, is_any ? "%c" : " [-%c", option->key);
                is_any = true;
            } else if ((flags & OPTION_ARG_OPTIONAL) != 0) {
                libc_text_print(&help->text, " [-%c[%s]]", option->key, argument);
            } else {
                libc_text_space(&help->text, 6 + strlen(argument));
                libc_text_print(&help->text, "[-%c %s]", option->key, argument);
            }
        }
    }
    if (is_any) {
        libc_text_put(&help->text, "]");
    }
}

static void usage_names(struct help *help)
{
    for (size_t i = 1; i < help->entry_count; ++i) {
        const struct argp_option *option;
        const struct entry *entry = &help->entries[i];
        for (size_t at = 0; (option = name_next(entry, &at)) != NULL;) {
            const char *argument = option->arg != NULL ? option->arg : entry->option->arg;
            int flags = option->flags | entry->option->flags;
            if ((flags & OPTION_NO_USAGE) != 0) {
                continue;
            }
            libc_text_print(&help->text, " [--%s", option->name);
            if (argument != NULL) {
                bool is_optional = (flags & OPTION_ARG_OPTIONAL) != 0;
                libc_text_print(&help->text, is_optional ? "[=%s]" : "=%s", argument);
            }
            libc_text_put(&help->text, "]");
        }
    }
}

// The operands that the tree takes, in the form that levels say: each argp with several forms is a
// digit of a number that counts through all combinations. Whether there is another one.
static bool operands_print(struct help *help, unsigned char *levels)
{
    bool advances = true;
    for (size_t i = 0; i < help->node_count; ++i) {
        const struct argp *argp = help->nodes[i].argp;
        const char *doc = filtered(help, argp, KEY_ARGS_DOC, argp->args_doc);
        if (doc != NULL) {
            const char *form = doc;
            for (unsigned skipped = levels[i]; skipped > 0 && strchr(form, '\n') != NULL;
                 --skipped) {
                form = strchr(form, '\n') + 1;
            }
            size_t length = strcspn(form, "\n");
            libc_text_space(&help->text, 1 + length);
            libc_text_write(&help->text, form, length);
        }
        filtered_free(doc, argp->args_doc);
    }
    for (size_t i = help->node_count; i > 0; --i) { // descendants' forms change first
        const char *doc = help->nodes[i - 1].argp->args_doc;
        size_t form_count = 1;
        for (; doc != NULL && *doc != '\0'; ++doc) {
            form_count += *doc == '\n';
        }
        if (advances && form_count > 1) {
            advances = ++levels[i - 1] == form_count;
            levels[i - 1] = advances ? 0 : levels[i - 1];
        }
    }
    return !advances;
}

static bool docs_print(struct help *help, bool is_post, bool pre_blank, bool only_first)
{
    struct argp_text *text = &help->text;
    bool is_any = false;
    for (size_t i = 0; i < help->node_count && !(only_first && is_any); ++i) {
        const struct argp *argp = help->nodes[i].argp;
        const char *cut = argp->doc == NULL ? NULL : strchr(argp->doc, '\v');
        const char *half = is_post ? (cut == NULL ? NULL : cut + 1) : argp->doc;
        bool is_cut = !is_post && cut != NULL && cut != half; // glibc shows all of "\vtext"
        char *before = is_cut ? strndup(half, (size_t)(cut - half)) : NULL;
        half = before != NULL ? before : half;
        const char *shown = filtered(help, argp, is_post ? KEY_POST_DOC : KEY_PRE_DOC, half);
        const char *extra =
            is_post && argp->help_filter != NULL ? filtered(help, argp, KEY_EXTRA, NULL) : NULL;
        const char *const parts[] = {shown, extra};
        for (int part = 0; part < 2; ++part) {
            if (parts[part] != NULL) {
                libc_text_put(text, pre_blank || is_any ? "\n" : "");
                libc_text_put(text, parts[part]);
                libc_text_wrap(text);
                libc_text_put(text, text->column > text->left_margin ? "\n" : "");
                is_any = true;
            }
        }
        filtered_free(shown, half);
        filtered_free(extra, NULL);
        libc_free(before);
    }
    return is_any;
}

static void usage_print(struct help *help, unsigned flags, const char *name)
{
    unsigned char *levels = libc_calloc(help->node_count, 1);
    bool is_first = true;
    bool has_more = levels != NULL;
    while (has_more) {
        int wrap = libc_text_wrap_set(&help->text, help->format.usage_indent);
        libc_text_print(&help->text, "%s %s", is_first ? "Usage:" : "  or: ", name);
        int left = libc_text_left_set(&help->text, help->format.usage_indent);
        if ((flags & HELP_SHORT_USAGE) != 0) {
            libc_text_put(&help->text, help->entry_count > 1 ? " [OPTION...]" : "");
        } else {
            usage_letters(help, false);
            usage_letters(help, true);
            usage_names(help);
            flags |= HELP_SHORT_USAGE; // once
        }
        has_more = operands_print(help, levels);
        libc_text_wrap_set(&help->text, wrap);
        libc_text_left_set(&help->text, left);
        libc_text_put(&help->text, "\n");
        is_first = false;
    }
    libc_free(levels);
}

static int *format_field(struct format *format, const char *name, size_t length)
{
    static const char *const names[] = {"dup-args",     "dup-args-note", "short-opt-col",
                                        "long-opt-col", "doc-opt-col",   "opt-doc-col",
                                        "header-col",   "usage-indent",  "rmargin"};
    int *const fields[] = {
        &format->duplicates,    &format->duplicates_note,   &format->short_column,
        &format->long_column,   &format->doc_option_column, &format->doc_column,
        &format->header_column, &format->usage_indent,      &format->right_margin};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0) {
            return fields[i];
        }
    }
    return NULL;
}

// Changes what ARGP_HELP_FMT says: NAME[=]NUMBER, NAME, no-NAME, with commas between them.
static void format_read(struct format *format, const char *variable)
{
    while (*variable != '\0') {
        variable += strspn(variable, ", \t\n");
        size_t length = strspn(variable, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_");
        if (length == 0) {
            return;
        }
        const char *value = variable + length;
        value += strspn(value, " \t\n=");
        char *end;
        long number = strtol(value, &end, 10);
        bool is_no = strncmp(variable, "no-", 3) == 0 && end == value;
        int *field = format_field(format, variable + (is_no ? 3 : 0), length - (is_no ? 3 : 0));
        if (field != NULL) {
            *field = end != value ? (int)number : !is_no;
        }
        variable = end != value ? end : value;
    }
}

// What a program has set in its environment stays, as with glibc, until it sets another value.
static struct format format_get(void)
{
    static struct mutex guard;
    static struct format format = {0, 1, 2, 6, 2, 29, 1, 12, 79}; // guarded by guard
    const char *variable = getenv("ARGP_HELP_FMT");
    mutex_lock(&guard);
    if (variable != NULL) {
        format_read(&format, variable);
    }
    struct format copy = format;
    mutex_unlock(&guard);
    return copy;
}

static void help_print(const struct argp *argp, const struct argp_state *state, FILE *stream,
                       unsigned flags, const char *name)
{
    struct help help = {.state = state, .format = format_get()};
    if (!help_make(&help, argp)) {
        return;
    }
    help.text = (struct argp_text){.stream = stream, .right_margin = help.format.right_margin};
    bool is_any = false;
    if ((flags & (HELP_USAGE | HELP_SHORT_USAGE)) != 0) {
        usage_print(&help, flags, name);
        is_any = true;
    }
    if ((flags & HELP_PRE_DOC) != 0) {
        is_any |= docs_print(&help, false, false, true);
    }
    if ((flags & HELP_SEE) != 0) {
        libc_text_print(&help.text, "Try `%s --help' or `%s --usage' for more information.\n", name,
                        name);
        is_any = true;
    }
    if ((flags & HELP_LONG) != 0 && help.entry_count > 1) {
        libc_text_put(&help.text, is_any ? "\n" : "");
        entries_print(&help);
        is_any = true;
    }
    if ((flags & HELP_POST_DOC) != 0) {
        is_any |= docs_print(&help, true, is_any, false);
    }
    const char **address = libc_argp_variable("argp_program_bug_address");
    if ((flags & HELP_BUG_ADDRESS) != 0 && *address != NULL) {
        libc_text_print(&help.text, "%sReport bugs to %s.\n", is_any ? "\n" : "", *address);
    }
    libc_text_end(&help.text);
    help_free(&help);
}

EXPORT(void, argp_help, const struct argp *argp, FILE *stream, unsigned flags, char *name)
{
    if (stream != NULL) {
        flockfile(stream);
        help_print(argp, NULL, stream, flags, name);
        funlockfile(stream);
    }
}

EXPORT(void, argp_state_help, const struct argp_state *state, FILE *stream, unsigned flags)
{
    if ((state != NULL && (state->flags & ARGP_NO_ERRS) != 0) || stream == NULL) {
        return;
    }
    if (state != NULL) {
        flockfile(stream);
        help_print(state->root, state, stream, flags, state->name);
        funlockfile(stream);
    }
    if (state == NULL || (state->flags & ARGP_NO_EXIT) == 0) {
        if ((flags & HELP_EXIT_ERROR) != 0) {
            libc_exit(*(int *)libc_argp_variable("argp_err_exit_status"));
        }
        if ((flags & HELP_EXIT_OK) != 0) {
            libc_exit(0);
        }
    }
}
