def suite(doctor):
    pass
