#include "CImageCodecs.h"
#include <stdio.h>
#include <jpeglib.h>
#include <png.h>
void ci_placeholder(void) { struct jpeg_error_mgr e; jpeg_std_error(&e); (void)png_get_io_ptr(NULL); }
