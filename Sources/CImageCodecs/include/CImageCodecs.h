void ci_placeholder(void);
#include "ci_encode.h"
