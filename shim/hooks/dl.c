/* dlopen(), dlsym(), dlvsym(): dl_jump.S asks here what is to be done before the real one is jumped to. These look at their
 * caller's address (RTLD_NEXT, a RUNPATH of $ORIGIN), so no frame of ours may stand between. */
#include "dl.h"

#include "../loader/elf.h"
#include "../loader/library.h"

#include <dlfcn.h>
#include <errno.h>

/* Those of dlsym() and dlvsym() are set once the names are made. */
_Atomic(void *) dl_next_dlopen, dl_next_dlsym, dl_next_dlvsym;

/* Either the answer, or NULL and the handle that the real function is to be called with. In registers, both. */
struct answer {
    void *pointer;
    void *handle;
};

/* Not every C library has it. */
typedef void *dlvsym_fn(void *handle, const char *name, const char *version);

static struct answer real_with(void *handle)
{
    return (struct answer){NULL, handle};
}

void *dl_export(enum hook hook)
{
    struct elf_object ours;
    return elf_object_of((const void *)dl_export, &ours) ? elf_function(&ours, symbol_name(hook)) : NULL;
}

static bool is_libc(const struct elf_object *object, void *path)
{
    *(const char **)path = object->path;
    return library_is_genuine(HOOK_write, object);
}

/* Where only our own export has the name, the program would find nothing without us. It finds nothing in libc either,
 * and the real function says so in dlerror(). */
static struct answer nothing(void *handle)
{
    static _Atomic(void *) libc;
    const char *path;
    void *known = atomic_load(&libc);
    if (!known && elf_each(is_libc, &path)) {
        known = REAL(dlopen)(path, RTLD_LAZY | RTLD_NOLOAD);
        atomic_store(&libc, known);
    }
    return real_with(known ? known : handle);
}

/* In the global scope: RTLD_NEXT is ours here, and sees what was opened with RTLD_GLOBAL too. */
static void *behind_us(enum hook hook)
{
    return ((__typeof__(&dlsym))atomic_load(&dl_next_dlsym))(RTLD_NEXT, symbol_name(hook));
}

static bool is_elsewhere(enum hook hook, const void *caller)
{
    return resolve_exists(hook, caller) || behind_us(hook);
}

static bool is_before_us(const void *caller)
{
    struct elf_object object, ours;
    return elf_object_of(caller, &object) && elf_object_of((const void *)is_before_us, &ours) && object.index < ours.index;
}

static bool defines(const void *caller, enum hook hook)
{
    struct elf_object object;
    return elf_object_of(caller, &object) && elf_function(&object, symbol_name(hook));
}

static void report_no_room(const char *object)
{
    static _Atomic bool said;
    if (!atomic_exchange(&said, true))
        report_layer_refused("loader", object, "too-many-pointers");
}

/* What the program gets for the function that the real call finds. */
static void *instead_of(void *found, enum hook hook, const void *caller)
{
    struct elf_object object;
    if (!elf_object_of(found, &object) || !*object.path || !library_is_genuine(hook, &object))
        return NULL; /* a plugin's own function of that name, or one of the main program */
    if (defines(caller, hook))
        return NULL; /* a wrapper asks for what is below it; with ours it would call itself */
    if (library_is_libc(hook))
        return dl_export(hook);
    void *pointer = dl_pointer_to(hook, found);
    if (!pointer)
        report_no_room(object.path);
    return pointer;
}

static struct answer answer_hooked(void *handle, const char *name, const char *version, const void *caller)
{
    enum hook hook;
    if (!dl_hook_named(name, &hook) || !dl_is_on())
        return real_with(handle);
    if (handle == RTLD_NEXT) /* a wrapper's, whose successor we are or are not */
        return is_before_us(caller) && !is_elsewhere(hook, caller) ? nothing(handle) : real_with(handle);
    void *found = version ? ((dlvsym_fn *)atomic_load(&dl_next_dlvsym))(handle, name, version)
                          : ((__typeof__(&dlsym))atomic_load(&dl_next_dlsym))(handle, name);
    if (!found)
        return real_with(handle);
    if (elf_is_ours(found)) { /* in the global scope ours come first as it is */
        if (!is_elsewhere(hook, caller))
            return nothing(handle);
        found = library_is_libc(hook) || !resolve_has_copies(hook) ? NULL : behind_us(hook);
    }
    void *pointer = found ? instead_of(found, hook, caller) : NULL;
    return pointer ? (struct answer){pointer, handle} : real_with(handle);
}

static void prepare(void)
{
    dl_make_names();
    atomic_store_explicit(&dl_next_dlsym, next_function(HOOK_dlsym), memory_order_release);
    atomic_store_explicit(&dl_next_dlvsym, next_function(HOOK_dlvsym), memory_order_release);
}

/* Apart from what each call runs through. */
__attribute__((noinline)) static struct answer look_at(void *handle, const char *name, const char *version,
                                                       const void *caller)
{
    int saved = errno;
    struct answer answer = real_with(handle);
    if (!dl_next_dlsym)
        prepare();
    if (dl_next_dlsym && name && dl_may_be_hooked(name))
        answer = answer_hooked(handle, name, version, caller);
    errno = saved;
    return answer;
}

struct answer dl_before_dlsym(void *handle, const char *name, const void *caller)
{
    if (__builtin_expect(atomic_load_explicit(&dl_next_dlsym, memory_order_acquire) && name && !dl_may_be_hooked(name), 1))
        return real_with(handle);
    return look_at(handle, name, NULL, caller);
}

struct answer dl_before_dlvsym(void *handle, const char *name, const char *version, const void *caller)
{
    if (!atomic_load_explicit(&dl_next_dlvsym, memory_order_acquire))
        prepare();
    return version && dl_next_dlvsym ? look_at(handle, name, version, caller) : real_with(handle);
}

/* RTLD_DEEPBIND would bind all that is loaded to its own libraries first, past every preload. */
int dl_before_dlopen(int flags)
{
    if (__builtin_expect(!dl_next_dlopen, 0))
        dl_next_dlopen = next_function(HOOK_dlopen);
#ifdef RTLD_DEEPBIND
    if (flags & RTLD_DEEPBIND && dl_is_on())
        return flags & ~RTLD_DEEPBIND;
#endif
    return flags;
}
