"""The quarantine desk: which treatment is necessary, and did it meet its schedule?"""
