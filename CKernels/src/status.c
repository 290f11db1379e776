// Status codes in words.
#include "internal.h"

const char *ck_status_string(ck_status status) {
    switch (status) {
    case CK_OK: return "no error";
    case CK_BAD_SHAPE: return "shapes do not fit the operation";
    case CK_BAD_ARGUMENT: return "a hyper-parameter is out of range";
    case CK_SMALL_WORKSPACE: return "the workspace is too small";
    case CK_NO_THREAD: return "the system refused another thread, or the thread count is out of range";
    }
    return "unknown status";
}
