"""The quarantine desk: which treatment is necessary, and did the treatment meet its schedule?"""
