// SPDX-License-Identifier: BSD-3-Clause
// procfs.c: what the kernel tells about itself and the process, as files of text.
//
// Two trees, /proc and /sys, are made of nodes that stay for ever: directories, texts and links
// that procfs_add and its kin put there; what few programs ask for is put there when the first one
// looks (procfs_fill_later). A text is made whole when its file is read from the start, or from
// where the last read did not end, so that a reader in small steps sees one moment. Three
// directories are made as they are looked at: fd (a link for each descriptor), task (a directory
// for each thread), and what is in task.
#include "core/vfs/procfs.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/vfs/entry.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/mount.h"
#include "core/vfs/vfs.h"
#include "core/vfs/walk.h"

enum proc_kind {
    PROC_DIRECTORY,
    PROC_TEXT,
    PROC_LINK,
    PROC_SELF,
    PROC_CURRENT,
    PROC_ROOT,
    PROC_FD_LIST,
    PROC_FD,
    PROC_TASK_LIST,
    PROC_TASK
};

enum {
    TEXT_SIZE_FIRST = 4096,
    TEXT_SIZE_MAX = 64 << 20,
    SETTING_SIZE = 128, // what is written at once, with a NUL
    FILLERS_MAX = 8,
    PROC_MAGIC = 0x9fa0,
    SYS_MAGIC = 0x62656572,
};

typedef size_t text_maker(char *text, size_t size, void *argument);
typedef int text_setter(const char *text, void *argument);

struct proc_node {
    struct vnode vnode;
    enum proc_kind kind;
    bool is_private;      // the superuser's alone
    struct list sibling;  // in children of the parent; tree_lock
    struct list children; // of a directory; tree_lock
    text_maker *make;
    text_setter *set; // of a text that may be written; else NULL
    void *argument;
    int number; // of PROC_FD: the descriptor; of PROC_TASK: the thread
    char name[40];
};

static struct mutex tree_lock;
static struct proc_node *root, *process, *system_root; // of /proc, its self, and of /sys
static struct mutex fill_lock;                         // of who fills
static int (*fillers[FILLERS_MAX])(void);
static uint32_t filler_count;
static _Atomic bool is_filled;
static uint32_t process_id = 1;
static int32_t (*thread_id)(const struct thread *thread);
static _Atomic uint64_t inode_last = 1;

static const struct vnode_ops proc_ops, link_ops, jump_ops;

static struct proc_node *node_of(struct vnode *vnode)
{
    return container_of(vnode, struct proc_node, vnode);
}

static uint32_t type_of(enum proc_kind kind)
{
    switch (kind) {
    case PROC_TEXT:
        return MODE_FILE;
    case PROC_LINK:
    case PROC_SELF:
    case PROC_CURRENT:
    case PROC_ROOT:
    case PROC_FD:
        return MODE_LINK;
    default:
        return MODE_DIRECTORY;
    }
}

static struct proc_node *node_new(struct mount *mount, enum proc_kind kind, const char *name)
{
    struct proc_node *node = heap_alloc_zeroed(sizeof *node);
    if (node == NULL) {
        return NULL;
    }
    const struct vnode_ops *ops = &proc_ops;
    if (kind == PROC_LINK || kind == PROC_SELF) {
        ops = &link_ops;
    } else if (type_of(kind) == MODE_LINK) {
        ops = &jump_ops;
    }
    uint64_t inode = atomic_fetch_add_explicit(&inode_last, 1, memory_order_relaxed);
    vnode_init(&node->vnode, ops, mount, type_of(kind), inode);
    node->kind = kind;
    list_init(&node->sibling);
    list_init(&node->children);
    format(node->name, sizeof node->name, "%s", name);
    return node;
}

static void proc_release(struct vnode *vnode)
{
    heap_free(node_of(vnode)); // one of fd or task: the others keep a reference for ever
}

// ---- The lasting tree ----

static struct proc_node *child_find_locked(const struct proc_node *directory, const char *name,
                                           size_t length)
{
    struct list *at;
    list_for_each(at, &directory->children)
    {
        struct proc_node *child = container_of(at, struct proc_node, sibling);
        if (length < sizeof child->name && child->name[length] == '\0' &&
            memcmp(child->name, name, length) == 0) {
            return child;
        }
    }
    return NULL;
}

static struct proc_node *child_add_locked(struct proc_node *directory, enum proc_kind kind,
                                          const char *name)
{
    struct proc_node *child = node_new(directory->vnode.mount, kind, name);
    if (child != NULL) {
        list_push_back(&directory->children, &child->sibling);
    }
    return child;
}

struct proc_source {
    text_maker *make;
    text_setter *set;
    void *argument;
    bool is_private;
};

// The node of this name below top, whose directories are made as needed. "self/" is the process's
// directory.
static int node_add(struct proc_node *top, const char *name, enum proc_kind kind,
                    const struct proc_source *source)
{
    ASSERT(top != NULL);
    mutex_lock(&tree_lock);
    struct proc_node *at = top;
    const char *slash = strchr(name, '/');
    while (at != NULL && slash != NULL) {
        size_t length = (size_t)(slash - name);
        char part[sizeof at->name];
        format(part, sizeof part, "%.*s", (int)length, name);
        struct proc_node *next =
            at == root && strcmp(part, "self") == 0 ? process : child_find_locked(at, name, length);
        at = next != NULL ? next : child_add_locked(at, PROC_DIRECTORY, part);
        name = slash + 1;
        slash = strchr(name, '/');
    }
    struct proc_node *node = at != NULL ? child_find_locked(at, name, strlen(name)) : NULL;
    if (node == NULL && at != NULL) {
        node = child_add_locked(at, kind, name);
    }
    if (node != NULL) {
        node->argument = source->argument;
        node->make = source->make; // the later registration counts
        node->set = source->set;
        node->is_private = source->is_private;
    }
    mutex_unlock(&tree_lock);
    return node != NULL ? 0 : -ENOMEM;
}

int procfs_add(const char *name, text_maker *make, void *argument)
{
    return node_add(root, name, PROC_TEXT,
                    &(struct proc_source){.make = make, .argument = argument});
}

int procfs_add_link(const char *name, text_maker *make, void *argument)
{
    return node_add(root, name, PROC_LINK,
                    &(struct proc_source){.make = make, .argument = argument});
}

static int setting_add(enum procfs_tree tree, const struct procfs_setting *setting, bool is_private)
{
    struct proc_node *top = tree == PROCFS_PROC ? root : system_root;
    if (top == NULL) {
        return 0; // the root has no place for it
    }
    const struct proc_source source = {setting->make, setting->set, setting->argument, is_private};
    return node_add(top, setting->name, PROC_TEXT, &source);
}

int procfs_add_setting(enum procfs_tree tree, const struct procfs_setting *setting)
{
    return setting_add(tree, setting, false);
}

int procfs_add_private(enum procfs_tree tree, const struct procfs_setting *setting)
{
    return setting_add(tree, setting, true);
}

void procfs_fill_later(int (*fill)(void))
{
    ASSERT(filler_count < FILLERS_MAX && !is_filled);
    fillers[filler_count++] = fill;
}

// -ENOMEM: the next who looks tries again.
static int trees_fill(void)
{
    if (is_filled) {
        return 0;
    }
    int error = 0;
    mutex_lock(&fill_lock);
    for (uint32_t i = 0; i < filler_count && error == 0 && !is_filled; ++i) {
        error = fillers[i]();
    }
    is_filled = error == 0;
    mutex_unlock(&fill_lock);
    return error;
}

void procfs_process_set(uint32_t id, int32_t (*id_of)(const struct thread *thread))
{
    mutex_lock(&tree_lock);
    process_id = id;
    thread_id = id_of;
    format(process->name, sizeof process->name, "%u", id);
    mutex_unlock(&tree_lock);
}

int procfs_fill(struct mount *mount)
{
    root = node_new(mount, PROC_DIRECTORY, "");
    if (root == NULL) {
        return -ENOMEM;
    }
    mount->root = &root->vnode;
    process = child_add_locked(root, PROC_DIRECTORY, "1");
    if (process == NULL || child_add_locked(root, PROC_SELF, "self") == NULL ||
        child_add_locked(process, PROC_CURRENT, "cwd") == NULL ||
        child_add_locked(process, PROC_ROOT, "root") == NULL ||
        child_add_locked(process, PROC_FD_LIST, "fd") == NULL ||
        child_add_locked(process, PROC_TASK_LIST, "task") == NULL) {
        return -ENOMEM;
    }
    return proctext_add();
}

int procfs_fill_system(struct mount *mount)
{
    system_root = node_new(mount, PROC_DIRECTORY, "");
    if (system_root == NULL) {
        return -ENOMEM;
    }
    mount->root = &system_root->vnode;
    return 0;
}

int procfs_fill_text(struct mount *mount, text_maker *make)
{
    struct proc_node *text = node_new(mount, PROC_TEXT, "");
    if (text == NULL) {
        return -ENOMEM;
    }
    text->make = make;
    mount->root = &text->vnode;
    return 0;
}

void procfs_forget_system(void)
{
    vnode_put(&system_root->vnode);
    system_root = NULL;
}

// ---- fd and task ----

// A number as a name: no sign, no leading zero. -1: none.
static int number_parse(const char *name)
{
    int number = 0;
    for (const char *at = name; *at != 0; ++at) {
        if (*at < '0' || *at > '9' || at - name > 8) {
            return -1;
        }
        number = number * 10 + (*at - '0');
    }
    return name[0] == '0' && name[1] != 0 ? -1 : number;
}

struct task_search {
    int id;    // looked for, or listed after
    int found; // the lowest that fits; INT32_MAX: none
    bool exact;
};

int32_t procfs_thread_id(const struct thread *thread)
{
    return thread_id != NULL ? thread_id(thread) : 0;
}

// The first thread of the program is the process; core's own threads have no task and are not
// shown.
static void task_visit(struct thread *thread, void *argument)
{
    struct task_search *search = argument;
    int id = procfs_thread_id(thread);
    bool fits = search->exact ? id == search->id : id > search->id;
    if (id != 0 && fits && id < search->found) {
        search->found = id;
    }
}

static int task_find(int id, bool exact)
{
    struct task_search search = {id, INT32_MAX, exact};
    thread_walk(task_visit, &search);
    return search.found;
}

static int dynamic_lookup(struct proc_node *directory, const char *name, struct vnode **child)
{
    int number = number_parse(name);
    bool is_fd = directory->kind == PROC_FD_LIST;
    bool is_there =
        number >= 0 && (is_fd ? fd_flag_get(number) >= 0 : task_find(number, true) == number);
    if (!is_there) {
        return -ENOENT;
    }
    struct proc_node *node = node_new(directory->vnode.mount, is_fd ? PROC_FD : PROC_TASK, name);
    if (node == NULL) {
        return -ENOMEM;
    }
    node->number = number;
    *child = &node->vnode;
    return 0;
}

// A thread's directory shows the process's texts.
static struct proc_node *listed_of(struct proc_node *directory)
{
    return directory->kind == PROC_TASK ? process : directory;
}

static int proc_lookup(struct vnode *directory, const char *name, struct vnode **child)
{
    struct proc_node *node = node_of(directory);
    if (node->kind == PROC_FD_LIST || node->kind == PROC_TASK_LIST) {
        return dynamic_lookup(node, name, child);
    }
    int error = trees_fill();
    if (error != 0) {
        return error;
    }
    mutex_lock(&tree_lock);
    struct proc_node *found = child_find_locked(listed_of(node), name, strlen(name));
    if (found != NULL) {
        vnode_get(&found->vnode);
        *child = &found->vnode;
    }
    mutex_unlock(&tree_lock);
    return found != NULL ? 0 : -ENOENT;
}

// ---- Listing ----

struct listed { // what is at one position
    char name[40];
    uint64_t inode, next;
    uint32_t type;
};

static bool node_listed(struct proc_node *directory, uint64_t position, struct listed *listed)
{
    uint64_t at = 2;
    bool found = false;
    mutex_lock(&tree_lock);
    struct list *node;
    list_for_each(node, &listed_of(directory)->children)
    {
        struct proc_node *child = container_of(node, struct proc_node, sibling);
        if (at++ == position) {
            memcpy(listed->name, child->name, sizeof listed->name);
            listed->inode = child->vnode.inode;
            listed->type = child->vnode.type;
            found = true;
            break;
        }
    }
    mutex_unlock(&tree_lock);
    listed->next = position + 1;
    return found;
}

struct fd_search {
    int lowest, found;
};

static bool fd_visit(int fd, struct file *file, void *argument)
{
    (void)file;
    struct fd_search *search = argument;
    if (fd < search->lowest) {
        return true;
    }
    search->found = fd;
    return false;
}

// Positions of numbers are the numbers, plus 2 for . and ..
static bool number_listed(struct proc_node *directory, uint64_t position, struct listed *listed)
{
    int from = (int)(position - 2);
    int number;
    if (directory->kind == PROC_FD_LIST) {
        struct fd_search search = {from, -1};
        fd_walk(fd_visit, &search);
        number = search.found;
    } else {
        number = task_find(from - 1, false);
        number = number == INT32_MAX ? -1 : number;
    }
    if (number < 0) {
        return false;
    }
    format(listed->name, sizeof listed->name, "%d", number);
    listed->inode = directory->vnode.inode * 100000 + (uint64_t)number;
    listed->type = directory->kind == PROC_FD_LIST ? MODE_LINK : MODE_DIRECTORY;
    listed->next = (uint64_t)number + 3;
    return true;
}

static bool position_listed(struct proc_node *directory, uint64_t position, struct listed *listed)
{
    if (position < 2) {
        format(listed->name, sizeof listed->name, position == 0 ? "." : "..");
        listed->inode = directory->vnode.inode;
        listed->type = MODE_DIRECTORY;
        listed->next = position + 1;
        return true;
    }
    bool is_numbers = directory->kind == PROC_FD_LIST || directory->kind == PROC_TASK_LIST;
    return is_numbers ? number_listed(directory, position, listed)
                      : node_listed(directory, position, listed);
}

static int proc_read_directory(struct file *file, uint64_t position,
                               bool (*visit)(const struct dir_entry *, void *), void *argument)
{
    struct proc_node *directory = node_of(file->vnode);
    struct listed listed;
    int error = trees_fill();
    while (error == 0 && position_listed(directory, position, &listed)) {
        struct dir_entry entry = {listed.inode, listed.next, (uint8_t)(listed.type >> 12),
                                  listed.name};
        if (!visit(&entry, argument)) {
            break;
        }
        position = listed.next;
    }
    return error;
}

// ---- Texts ----

struct proc_text {
    size_t size;
    char text[];
};

static int text_make(const struct proc_node *node, struct proc_text **result)
{
    for (size_t size = TEXT_SIZE_FIRST; size <= TEXT_SIZE_MAX;) {
        struct proc_text *text = heap_alloc(sizeof *text + size);
        if (text == NULL) {
            return -ENOMEM;
        }
        // Touched now: the maker may hold a lock that a page fault takes.
        memset(text, 0, sizeof *text + size);
        text->size = node->make(text->text, size, node->argument);
        if (text->size < size) {
            *result = text;
            return 0;
        }
        size = text->size + TEXT_SIZE_FIRST;
        heap_free(text);
    }
    return -ENOMEM;
}

// An open file.
struct proc_reader {
    struct mutex lock;
    // Under lock:
    struct proc_text *text; // NULL before the first read
    uint64_t next;          // where the last read ended
};

static int text_renew(struct proc_reader *reader, const struct proc_node *node)
{
    heap_free(reader->text);
    reader->text = NULL;
    return text_make(node, &reader->text);
}

static int text_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    struct proc_reader *reader = file->state;
    mutex_lock(&reader->lock);
    bool goes_on = offset != 0 && offset == reader->next && reader->text != NULL;
    int error = goes_on ? 0 : text_renew(reader, node_of(file->vnode));
    if (error == 0 && offset < reader->text->size) {
        size_t left = (size_t)(reader->text->size - offset);
        size = size < left ? size : left;
        error = hal_copy_safe(data, reader->text->text + offset, size);
        *done = error == 0 ? size : 0;
        reader->next = offset + *done;
    }
    mutex_unlock(&reader->lock);
    return error;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

// What is written counts as one word, wherever in the file.
static int text_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done)
{
    const struct proc_node *node = node_of(file->vnode);
    char text[SETTING_SIZE];
    (void)offset;
    if (node->set == NULL) {
        return -EIO;
    }
    if (size >= sizeof text) {
        return -EINVAL;
    }
    int error = hal_copy_safe(text, data, size);
    size_t length = size;
    while (error == 0 && length > 0 && is_space(text[length - 1])) {
        --length;
    }
    text[length] = 0;
    error = error != 0 ? error : node->set(text, node->argument);
    *done = error == 0 ? size : 0;
    return error;
}

static int text_truncate(struct file *file, uint64_t size)
{
    (void)file;
    return size == 0 ? 0 : -EINVAL;
}

static void text_close(struct file *file)
{
    struct proc_reader *reader = file->state;
    heap_free(reader->text);
    heap_free(reader);
}

static const struct file_ops text_ops = {
    .read = text_read, .write = text_write, .truncate = text_truncate, .close = text_close};
static const struct file_ops directory_ops = {.read_directory = proc_read_directory};

static bool is_system(const struct vnode *vnode)
{
    return system_root != NULL && vnode->mount == system_root->vnode.mount;
}

static int proc_open(struct vnode *vnode, struct file *file)
{
    if (vnode_is_directory(vnode)) {
        file->ops = &directory_ops;
        return 0;
    }
    const uint32_t access = atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_ACCESS;
    if (access != OPEN_READ_ONLY && node_of(vnode)->set == NULL && is_system(vnode)) {
        return -EACCES; // root may open what it cannot write in /proc alone
    }
    file->state = heap_alloc_zeroed(sizeof(struct proc_reader));
    file->ops = &text_ops;
    return file->state != NULL ? 0 : -ENOMEM;
}

// ---- Links ----

static int copy_text(const char *from, size_t from_length, char *text, size_t size, size_t *length)
{
    *length = from_length < size ? from_length : size;
    return hal_copy_safe(text, from, *length);
}

static int proc_read_link(struct vnode *vnode, char *text, size_t size, size_t *length)
{
    struct proc_node *node = node_of(vnode);
    if (node->kind == PROC_SELF) {
        char number[16];
        size_t number_length = format(number, sizeof number, "%u", process_id);
        return copy_text(number, number_length, text, size, length);
    }
    struct proc_text *made;
    int error = text_make(node, &made);
    if (error == 0) {
        error = made->size == 0 ? -ENOENT : copy_text(made->text, made->size, text, size, length);
        heap_free(made);
    }
    return error;
}

static int proc_jump(struct vnode *vnode, struct vnode_jump *target)
{
    struct proc_node *node = node_of(vnode);
    if (node->kind != PROC_FD) {
        target->entry = node->kind == PROC_ROOT ? walk_root() : walk_current();
        return 0;
    }
    struct file *file;
    if (fd_get(node->number, &file) != 0) {
        return -ENOENT;
    }
    if (file->path == NULL) {
        target->file = file;
        return 0;
    }
    int error = vfs_file_entry(file, &target->entry);
    file_put(file);
    return error;
}

// The name of an open file without one: "pipe:[10000]".
static int nameless_text(struct file *file, char *text, size_t size, size_t *length)
{
    struct file_status status;
    char name[64];
    int error = file_status(file, &status);
    if (error != 0) {
        return error;
    }
    const uint32_t type = status.mode & MODE_TYPE;
    size_t name_length = type == MODE_FIFO ? format(name, sizeof name, "pipe:[%lu]", status.inode)
                         : type == MODE_SOCKET
                             ? format(name, sizeof name, "socket:[%lu]", status.inode)
                             : format(name, sizeof name, "anon_inode:[eventfd]");
    return copy_text(name, name_length, text, size, length);
}

static int proc_jump_text(struct vnode *vnode, char *text, size_t size, size_t *length)
{
    struct vnode_jump target = {0};
    int error = proc_jump(vnode, &target);
    if (error != 0) {
        return error;
    }
    if (target.file != NULL) {
        const char *path = target.file->path;
        error = path != NULL ? copy_text(path, strlen(path), text, size, length)
                             : nameless_text(target.file, text, size, length);
        file_put(target.file);
        return error;
    }
    static const char deleted[] = " (deleted)";
    char *path = heap_alloc(PATH_SIZE_MAX + sizeof deleted);
    size_t path_length = 0;
    struct file_status status;
    error = path == NULL ? -ENOMEM : entry_path(target.entry, path, PATH_SIZE_MAX, &path_length);
    if (error == 0 && vnode_status(target.entry->vnode, &status) == 0 && status.link_count == 0) {
        memcpy(path + path_length, deleted, sizeof deleted);
        path_length += sizeof deleted - 1;
    }
    if (error == 0) {
        error = copy_text(path, path_length, text, size, length);
    }
    heap_free(path);
    entry_put(target.entry);
    return error;
}

static int proc_status(struct vnode *vnode, struct file_status *status)
{
    static const uint32_t modes[] = {[PROC_TEXT] = 0444, [PROC_FD_LIST] = 0500, [PROC_FD] = 0700};
    struct proc_node *node = node_of(vnode);
    uint32_t mode = node->kind < sizeof modes / sizeof modes[0] ? modes[node->kind] : 0;
    mode |= node->set != NULL ? 0200 : 0;
    mode &= node->is_private ? 0700 : 0777;
    bool is_link = vnode_is_link(vnode);
    struct file_time now = file_time_now();
    *status = (struct file_status){
        .device = vnode->mount->device,
        .inode = vnode->inode,
        .link_count = vnode_is_directory(vnode) ? 2 : 1,
        .block_size = 1024,
        .size = node->kind == PROC_FD                         ? 64
                : is_system(vnode) && node->kind == PROC_TEXT ? HAL_PAGE_SIZE
                                                              : 0,
        .mode = vnode->type | (mode != 0 ? mode
                               : is_link ? 0777
                                         : 0555),
        .uid = node->is_private ? 0 : vnode_owner_uid,
        .gid = node->is_private ? 0 : vnode_owner_gid,
        .accessed = now,
        .modified = now,
        .changed = now,
    };
    return 0;
}

static int proc_space(struct vnode *vnode, struct file_system_status *status)
{
    *status = (struct file_system_status){.type = is_system(vnode) ? SYS_MAGIC : PROC_MAGIC,
                                          .block_size = 4096,
                                          .name_max = NAME_LENGTH_MAX};
    return 0;
}

static const struct vnode_ops proc_ops = {
    .lookup = proc_lookup,
    .open = proc_open,
    .status = proc_status,
    .space = proc_space,
    .release = proc_release,
};

static const struct vnode_ops link_ops = {
    .read_link = proc_read_link,
    .status = proc_status,
    .space = proc_space,
    .release = proc_release,
};

static const struct vnode_ops jump_ops = {
    .read_link = proc_jump_text,
    .jump = proc_jump,
    .status = proc_status,
    .space = proc_space,
    .release = proc_release,
};
